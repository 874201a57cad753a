"""The flows that all forges with an API share, over what each of them answers.

A rule such as "only a request into the default branch can land" stands here once. A forge's own
folder says how its API is asked, and what its answers mean.
"""
