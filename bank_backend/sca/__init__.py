"""Strong customer authentication: one-time codes bound to what they approve (RTS 2018/389 Art. 4, 5)."""
