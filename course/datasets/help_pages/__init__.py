"""LibreOffice's help in English and Chinese, frozen: how it is read, split and made again."""
