"""
The audit log: receipts as entries of a Merkle tree that only grows, so that none can be altered or withdrawn unseen.

    entry.py       what an entry is: a salted commitment, never a value
    tree.py        the tree of RFC 9162, its proofs and their verification
    checkpoint.py  a signed size and root: the notes of C2SP tlog-checkpoint and tlog-cosignature
    papers.py      proofs as files: C2SP tlog-proof and the request of tlog-witness
    witness.py     when a member State may put its name under a checkpoint
    examine.py     finds what does not fit, and where

Nothing here reads a file, a clock or Kafka.
"""
