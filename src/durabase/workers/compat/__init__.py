"""The modules that Cloudflare's Python programs import: ``workers``, ``js``, ``pyodide.ffi``, ``asgi``.

:mod:`~durabase.workers.compat.finder` offers them to a loaded program; nothing else imports them.
There is no JavaScript behind them: what stands for a JavaScript object is the Python object itself.
"""
