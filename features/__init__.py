"""The acceptance suite: a running platform, seen from outside, in the words of the business."""
