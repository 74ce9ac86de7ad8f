"""
RocksDB as the stores use it, and how a folder belongs to one process alone.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

from rocksdict import BlockBasedOptions, Cache, DBCompressionType, Options

from boutre.locks import taken

WRITE_BUFFER: Final = 8 << 20
"""Bytes of changes that one store holds in memory before they are sorted into files, up to three times."""

CACHE: Final = 16 << 20
"""Bytes of blocks that were read, for all stores of a process together."""

FILTER_BITS: Final = 10
"""Bits a key of the filter that answers most questions for what is not there without the disk: one in a hundred gets by."""

_LOG_BYTES: Final = 1 << 20


def alone(path: Path) -> int:
    """
    Take the lock file *path* for this process, until the descriptor that it gives is closed or the process ends, however it ends.

    Raises:
        Unavailable: another process has it.
    """
    return taken(path, f"{path.parent} is used by another worker that runs; give each a folder of its own (--data)")


@cache
def _cache() -> Cache:
    return Cache(CACHE)


def options() -> Options:
    """
    Give RocksDB's options: little memory, and questions for what is not there answered without the disk.
    """
    blocks = BlockBasedOptions()
    blocks.set_bloom_filter(FILTER_BITS, block_based=False)
    # Filters and indexes stay in memory beside this cache: in it, one that is larger than its share would be read for every
    # question.
    blocks.set_block_cache(_cache())
    made = Options(raw_mode=True)
    made.create_if_missing(create_if_missing=True)
    made.set_block_based_table_factory(blocks)
    made.set_write_buffer_size(WRITE_BUFFER)
    made.set_max_write_buffer_number(3)
    made.set_compression_type(DBCompressionType.lz4())
    made.set_max_background_jobs(2)
    made.set_keep_log_file_num(2)
    made.set_max_log_file_size(_LOG_BYTES)
    made.set_stats_dump_period_sec(0)
    return made
