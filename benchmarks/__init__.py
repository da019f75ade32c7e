"""Measurements, side by side in one run and quoted as ratios: machines are shared and noisy."""
