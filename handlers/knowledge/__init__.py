"""The veteran's ear (老师傅的耳朵): asking, contributing, reviewing, keeping experience cards."""
