"""
AsyncAPI 3 documents made of the declarations: for each recipient what it may read, for each member what it may write.
"""
