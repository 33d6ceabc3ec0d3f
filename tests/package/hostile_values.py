"""Values for the hostile requests.

The texts that look like code are harmless filters. No text names an existing file or
host.
"""

import pandas as pd

# As numbers, names, JSON documents, dates or filters, these texts are invalid or far
# too long.
TEXTS = [
    *["", " ", "0", "-1", "1e309", "NaN", "Infinity", "-0.0", "9" * 19, "9" * 5000],
    *["\u0663", "\u00b2", "null", "true", "None", "[]", "[[]]", '{"a":', "[" * 3000],
    *['{"a":' * 500, "[1e999]", "[NaN]", '"x"', "\0", "a\0b", "\ud800", "\r\nX-Y: z"],
    *["\u00e9" * 300, "x" * 20_000, "%s%n", "{0}", "%(a)s", "<b>x</b>", "\u202e", "😀"],
    *[
        "x.cumsum() > 2",
        "a > ",
        "(" * 400 + "a",
        "not " * 400 + "a",
        "a == 'x",
        "`",
        "@a",
        "@__class__",
        "@name.__class__ == s",
        "a in [[@name]]",
        "a in @set",
        "a in [*@numbers]",
        "a in " + "[@name, " * 300 + "1" + "]" * 300,
        "a.isin(" + "[1, " * 300 + "])",
        " or ".join(["a in @numbers"] * 200),
    ],
    *[
        "a + " * 3000 + "a > 1",
        "a in [" + "1, " * 5000 + "1]",
        "a > 1e400",
        "s * 9 > a",
    ],
    *["a`b", "'; --", "..", "../..", "%2e%2e", "index", "level_0", "__index__", "a,b"],
    *["2026-13-45", "0001-01-01", "99999-01-01", "1,2", "1-0", "0-99999999", "-5--1"],
    *["a:b:c", "(", "[a-", "(?P<", "a{9999}", "\\", "%", "Z", "1D", "-1D", "0D", "XX"],
]
NUMBERS = [0, -1, 1, 2.5, 1e308, float("nan"), float("inf"), 2**31, 2**63, -(2**64)]
NUMBERS += [10**400, True, None]
COLUMNS = ["a", "b", "c", "s", "d", "t", "k", "two words", "none", ""]
IDS = [
    "0",
    "-1",
    "999999",
    "9" * 18,
    "9" * 19,
    "9" * 400,
    "1.0",
    "0x1",
    "1e3",
    "\u0661",
]


def a_frame():
    """Return a small DataFrame with a column of each kind and missing values."""
    return pd.DataFrame(
        {
            "a": [1, 2, 2, 5, -7, 0],
            "b": [0.5, None, 2.5, float("inf"), -1e300, 0.0],
            "c": [True, False, True, True, False, False],
            "s": ["x", "y", None, "<b>z</b>", "x", ""],
            "d": pd.to_datetime(
                ["2026-01-01", None, *["2026-02-03"] * 3, "1990-12-31"]
            ),
            "t": pd.to_timedelta([1, 2, None, 4, 5, 6], unit="h"),
            "k": pd.Categorical(["u", "v", "u", None, "v", "u"]),
            "two words": range(6),
        }
    )


# Requests that D-Tale's pages send by GET. The generator damages them, because most
# views would reject completely random requests in their first line. PK stands for the
# id of a frame.
EXAMPLES = """
data/PK ids=["0-5"] sort=[["a","ASC"]]
data/PK ids=["0","3"] export=true export_rows=3
update-settings/PK settings={"verticalHeaders":true,"query":"a > 1"}
update-formats/PK all=false col=b format={"fmt":"0.0","style":{}} nanDisplay=-
update-column-position/PK action=left col=s
update-locked/PK action=lock col=a
build-column/PK type=numeric name=z cfg={"left":{"col":"a"},"right":{"val":2},"operation":"sum"}
build-column/PK type=string name=z cfg={"cols":["s","k"],"joinChar":"-"}
build-column/PK type=datetime name=z cfg={"col":"d","property":"month"}
build-column/PK type=bins name=z cfg={"col":"a","operation":"cut","bins":3,"labels":"a,b,c"}
build-column/PK type=random name=z cfg={"type":"int","low":1,"high":9}
build-column/PK type=type_conversion saveAs=inplace cfg={"col":"a","from":"int64","to":"str"}
build-column/PK type=type_conversion name=z cfg={"col":"d","from":"datetime64","to":"int","unit":"ms"}
build-column/PK type=transform name=z cfg={"group":["s"],"col":"a","agg":"mean"}
build-column/PK type=winsorize name=z cfg={"col":"a","group":["s"],"limits":[0.1,0.1]}
build-column/PK type=diff name=z cfg={"col":"a","periods":1}
build-column/PK type=rolling name=z cfg={"col":"a","comp":"mean","window":4,"min_periods":1}
build-column/PK type=exponential_smoothing name=z cfg={"col":"a","alpha":0.3}
build-column/PK type=substring name=z cfg={"col":"s","start":1,"end":3}
build-column/PK type=split name=z cfg={"col":"s","delimiter":"-"}
build-column/PK type=replace name=z cfg={"col":"s","search":"x","replacement":"y","regex":true,"caseSensitive":true}
build-column/PK type=similarity name=z cfg={"left":"s","right":"k","algo":"levenshtein","k":3}
build-column/PK type=standardize name=z cfg={"col":"a","algo":"robust"}
build-column/PK type=encoder name=z cfg={"col":"s","algo":"one_hot","n":2}
build-column/PK type=cleaning name=z cfg={"col":"s","cleaners":["hidden_chars","drop_multispace"],"caseType":"upper"}
build-column/PK type=concatenate name=z cfg={"left":{"col":"s"},"right":{"val":"!"}}
build-column/PK type=resample name=z cfg={"index":"d","columns":["a"],"freq":"D","agg":"mean"}
build-column/PK type=expanding name=z cfg={"col":"a","periods":2,"agg":"max"}
build-column/PK type=shift name=z cfg={"col":"a","periods":2,"fillValue":0}
build-column/PK type=cumsum name=z cfg={"cols":["a"],"group":["s"]}
build-column/PK type=zscore_normalize name=z cfg={"col":"a"}
build-column/PK type=data_slope name=z cfg={"col":"a"}
bins-tester/PK type=bins cfg={"col":"a","operation":"qcut","bins":4}
build-replacement/PK col=s type=strings cfg={"value":"x","ignoreCase":true,"isChar":false,"replace":"r"}
build-replacement/PK col=a type=value cfg=[{"value":2,"type":"raw","replace":4},{"value":5,"type":"agg","replace":"median"}]
build-replacement/PK col=b type=imputer cfg={"type":"knn","n_neighbors":2}
build-replacement/PK col=s type=spaces cfg={"value":"nan"} name=z
duplicates/PK type=rows action=test cfg={"subset":["a"],"keep":"first"}
duplicates/PK type=show action=execute cfg={"group":["s"],"filter":["x"]}
reshape/PK output=new type=aggregate cfg={"index":["s"],"agg":{"type":"col","cols":{"a":["mean"]}}}
reshape/PK output=override type=pivot cfg={"index":["s"],"columns":["c"],"values":["a"],"aggfunc":"mean"}
reshape/PK output=new type=transpose cfg={"index":["a"],"columns":["b"]}
reshape/PK output=new type=resample cfg={"index":"d","columns":["a"],"freq":"ME","agg":"mean"}
test-filter/PK query=a > 1 and s == 'x' save=true
test-filter/PK query=a.isin([1, 2]) and b.between(0, @numbers) or s == @name save=true
test-filter/PK query=abs(a) in @numbers and s.str.upper() != ['X', @name]
update-settings/PK settings={"predefinedFilters":{"Large":{"value":"a > 1","active":true}}}
filter-info/PK
move-filters-to-custom/PK
outliers/PK col=a
describe/PK col=s filtered=true
delete-col/PK cols=["k"]
rename-col/PK col=k rename=z
edit-cell/PK col=a rowIndex=0 updated=7
edit-cell/PK col=d rowIndex=1 updated=20260101
column-filter-data/PK col=s
async-column-filter-data/PK col=a input=2
save-column-filter/PK col=a cfg={"type":"int","operand":"=","value":[1,2]}
save-column-filter/PK col=b cfg={"type":"float","operand":"[]","min":0,"max":4}
save-column-filter/PK col=s cfg={"type":"string","action":"contains","raw":"x","caseSensitive":true}
save-column-filter/PK col=d cfg={"type":"date","start":"20200101","end":"20270101"}
data-export/PK type=csv
column-analysis/PK col=a type=histogram bins=5 target=c
column-analysis/PK col=s type=word_value_counts cleaners=underscore_to_space,punctuation top=3
column-analysis/PK col=a type=categories categoryCol=s categoryAgg=mean ordinalCol=b ordinalAgg=sum
column-analysis/PK col=d type=value_counts density=false latCol=a lonCol=b
correlations/PK encodeStrings=true pps=false
chart-data/PK x=s y=["a","b"] agg=mean group=["k"] query=a > 0 allowDupes=true
chart-data/PK x=d y=["a"] agg=rolling rollingWin=2 rollingComp=mean
correlations-ts/PK cols=["a","b"] dateCol=d rolling=true rollingWindow=2 minPeriods=1
scatter/PK cols=["a","b"] dateCol=d rolling=true window=2 date=2026-01-01 minPeriods=1
chart-export/PK export_type=html chart_type=line x=a y=["b"] agg=mean
chart-csv-export/PK chart_type=bar x=s y=["a"] agg=sum group=["k"] group_type=groups
chart-export/PK export_type=csv chart_type=heatmap x=s y=["k"] z=["a"] agg=sum animate_by=d
cleanup-datasets dataIds=PK
network-data/PK to=s from=k group=c weight=a color=b
network-analysis/PK to=s from=k weight=a
shortest-path/PK to=s from=k start=x end=u
sorted-sequential-diffs/PK col=a sort=ASC
missingno/matrix/PK date_index=d freq=ME file=true
gage-rnr/PK operator=["s"] measurements=["a","b"]
timeseries-analysis/PK type=hpfilter cfg={"index":"d","col":"a","lamb":1600}
timeseries-analysis/PK type=stl cfg={"index":"d","col":"a","agg":"mean"}
aggregations/PK/a
weighted-average/PK/a/b
raw-pandas/PK func_type=describe
popup/column-analysis/PK selectedCol=a
main/PK
network/PK to=s from=k
charts/PK chart_type=bar x=s y=["a"] agg=mean query=a > 1
"""
# Requests that D-Tale's pages send by POST.
POSTED = """
save-range-highlights/PK {"ranges":{"a":{"greaterThan":{"active":true,"value":3,"color":{"r":1}}}}}
update-visibility/PK {"toggle":"s"}
update-visibility/PK {"visibility":{"a":true,"b":false}}
build-column-copy/PK {"columns":["a","s"]}
build-row-copy/PK {"start":1,"end":3,"rows":null,"columns":["a","b"]}
merge {"action":"merge","config":"{\\"how\\":\\"inner\\",\\"sort\\":true}","datasets":"[{\\"dataId\\":\\"PK\\",\\"index\\":[\\"a\\"],\\"columns\\":null,\\"suffix\\":\\"l\\"},{\\"dataId\\":\\"PK\\",\\"index\\":[\\"a\\"],\\"columns\\":[\\"b\\"],\\"suffix\\":\\"r\\"}]","name":"m"}
merge {"action":"stack","config":"{\\"ignoreIndex\\":true}","datasets":"[{\\"dataId\\":\\"PK\\",\\"columns\\":[\\"a\\"]},{\\"dataId\\":\\"PK\\",\\"columns\\":null}]","name":""}
"""

METHODS = "GET POST HEAD OPTIONS PUT PATCH DELETE TRACE CONNECT PROPFIND get X".split()
CONTENT_TYPES = [
    *["", "text/csv", "application/json", "application/json; charset=utf-7"],
    *[
        "text/plain; charset=\u00e9",
        "multipart/form-data",
        "multipart/form-data; boundary=",
    ],
    *[
        "application/x-www-form-urlencoded; charset=nothing",
        "application/vnd.apache.parquet",
    ],
]
HEADERS = {
    "Host": [
        "localhost:1",
        "elsewhere",
        "localhost.",
        "[::1]",
        "[",
        "local host",
        "a@b",
    ],
    "Cookie": [
        "sessionid=",
        "sessionid=" + "x" * 99,
        "a=b=c; ;=",
        'x="\\',
        "csrftoken=x",
    ],
    "X-Forwarded-For": ["1.2.3.4", "1.2.3.4, x", "::1%x"],
    "X-Forwarded-Proto": ["https", "http, https"],
    "X-Forwarded-Host": ["elsewhere"],
    "Accept-Language": ["de", "de-DE;q=x", "xx-" * 200, "de;q=1e9", ",,;;", "../de"],
    "Accept-Encoding": ["br", "gzip;q=x", "*;q=0"],
    "Accept": ["application/x-ndjson", "application/json", "*/*;q=x"],
    "Origin": ["null", "http://elsewhere", "http://[", "http://localhost"],
    "Referer": ["http://elsewhere/", "http://[", "http://localhost/x"],
    "Sec-Fetch-Site": ["cross-site", "none", "same-site"],
    "Sec-Fetch-Mode": ["navigate", "no-cors"],
    "Authorization": ["Bearer", "Bearer dtale_x", "Basic eDp4", "bearer  \u00e9"],
    "X-Requested-With": ["XMLHttpRequest"],
    "X-Csrftoken": ["x"],
    "If-Modified-Since": ["yesterday", "Thu, 01 Jan 1970 00:00:00 GMT", "9" * 99],
    "If-None-Match": ['"x"', "*", 'W/"'],
    "Range": ["bytes=0-1", "bytes=9-1", "bytes=-", "bytes=0-,0-,0-", "lines=1"],
    "Content-Encoding": ["gzip"],
    "Transfer-Encoding": ["chunked"],
    "Expect": ["100-continue"],
    "Upgrade": ["h2c", "websocket"],
    "User-Agent": [],
}
