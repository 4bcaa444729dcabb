"""Cases from other data sets, and our cases as files for others.

A file becomes rows (``rows``), a mapping says which column holds what (``mapping``, ``official``), and each row becomes
a case or a counted reason why not (``convert``, ``report``). No foreign data set is shipped here.
"""
