"""OneVsRestClassifier.

It fits a classifier of two classes for each class against all others, or for each label if rows may
have several. The search descends the mean over classes of their own losses; the asked score judges
points by what the classifiers predict together.
"""

from sklearn.multiclass import OneVsRestClassifier
from sklearn.preprocessing import LabelBinarizer

from sklearn_hypergrad.adapters.base import ClassifierFamily, member_of
from sklearn_hypergrad.adapters.wrapped import WrapperFamily, register


@register
class OneVsRestFamily(WrapperFamily, ClassifierFamily):
    """A classifier per class, or for the second one of two."""

    estimator_class = OneVsRestClassifier
    kinds = ("probabilities", "codes", "margins")
    multilabel = True
    predicts_the_same = False
    conditions = "a classifier inside; every class, and its absence, in every training part"

    def targets(self, labels):
        return list(member_of(labels).astype(int).T)

    def assembled(self, wrapper, copies, labels):
        wrapper.estimators_ = list(copies)
        wrapper.label_binarizer_ = LabelBinarizer(sparse_output=True).fit(labels)
        wrapper.classes_ = wrapper.label_binarizer_.classes_
        wrapper.n_features_in_ = copies[0].n_features_in_
        return wrapper
