"""Queries that every request asks: their SQL is made once in a process.

Django makes it anew each time, which takes four times as long as a database on the same
machine does.
"""

import functools

from django.db import connection


def quick_query(make):
    """Return a function of the same arguments that asks the query which ``make`` returns.

    Args:
        make: called with positional arguments, numbers or text, returns a
            ``QuerySet.values_list``. The query has each argument as one parameter, in
            their order, but those that are None: which are decides what it looks like.

    Returns:
        function: it returns the rows (list of tuples), with Python's values.
    """
    prepared = {}  # Which arguments are None -> what is kept of the query.

    @functools.wraps(make)
    def rows(*args):
        nulls = tuple(arg is None for arg in args)
        if nulls not in prepared:
            prepared[nulls] = _prepare(make(*args))
        sql, converters = prepared[nulls]
        with connection.cursor() as cursor:
            cursor.execute(sql, [arg for arg in args if arg is not None])
            found = cursor.fetchall()
        for index, expression, functions in converters:
            for number, row in enumerate(found):
                value = row[index]
                for convert in functions:
                    value = convert(value, expression, connection)
                found[number] = (*row[:index], value, *row[index + 1 :])
        return found

    return rows


def _prepare(queryset):
    compiler = queryset.query.get_compiler(connection=connection)
    sql, _ = compiler.as_sql()
    selected = enumerate(expression for expression, _, _ in compiler.select)
    converters = (
        (
            index,
            expression,
            connection.ops.get_db_converters(expression)
            + expression.get_db_converters(connection),
        )
        for index, expression in selected
    )
    return sql, [each for each in converters if each[2]]
