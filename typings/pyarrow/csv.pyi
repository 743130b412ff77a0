from collections.abc import Mapping, Sequence
from typing import IO

from pyarrow import DataType, Table

class ReadOptions:
    def __init__(self, *, column_names: Sequence[str], block_size: int) -> None: ...

class ParseOptions:
    def __init__(self, *, newlines_in_values: bool) -> None: ...

class ConvertOptions:
    def __init__(
        self,
        *,
        column_types: Mapping[str, DataType],
        strings_can_be_null: bool,
        quoted_strings_can_be_null: bool,
        null_values: Sequence[str],
    ) -> None: ...

class WriteOptions:
    def __init__(self, *, include_header: bool, quoting_style: str) -> None: ...

def read_csv(
    input_file: IO[bytes], read_options: ReadOptions, parse_options: ParseOptions, convert_options: ConvertOptions
) -> Table: ...
def write_csv(table: Table, sink: IO[bytes], options: WriteOptions) -> None: ...
