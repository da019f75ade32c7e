"""Strong customer authentication: methods and challenges, each bound to what it approves (RTS 2018/389 Art. 4, 5)."""
