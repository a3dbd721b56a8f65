"""What suits whom, and who will click: numpy and scipy, no Django, no site.

Start at `base.Recommender` (what every model can be asked) and `interactions.Interactions` (what every model is fitted
on). One module is one model; each opens with its formula and its source.
"""
