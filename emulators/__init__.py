"""Local stand-ins for the outside world: WeCom, DingTalk and SMS, with phones one can hold. Imports nothing of ours."""
