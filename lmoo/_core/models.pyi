from typing import Any

TABLE_OF: dict[str, Any]
