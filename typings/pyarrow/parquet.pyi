from collections.abc import Iterator, Mapping, Sequence
from typing import IO, Self

from pyarrow import RecordBatch, Schema, Table

class ParquetWriter:
    def __init__(
        self,
        sink: IO[bytes],
        schema: Schema,
        *,
        compression: str,
        compression_level: int,
        use_dictionary: Sequence[str],
        column_encoding: Mapping[str, str],
        write_page_index: bool,
        write_page_checksum: bool,
    ) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(self, *_: object) -> None: ...
    def write_table(self, table: Table, row_group_size: int) -> None: ...

class ParquetFile:
    schema_arrow: Schema
    def __init__(self, source: IO[bytes]) -> None: ...
    def iter_batches(self, batch_size: int) -> Iterator[RecordBatch]: ...
