"""The Streamlit app of `browsers.py`: a CSV file in a grid, its sort order and histograms.

`streamlit run` runs this script for each change of a widget, but for the second list only
its fragment.
"""

import numpy as np
import pandas as pd
import streamlit as st


@st.cache_data
def read(file):
    return pd.read_csv(file)


@st.fragment
def draw(frame):
    column = st.selectbox("Histogram of", frame.columns, index=None)
    if column:
        counts, edges = np.histogram(frame[column].dropna(), bins=20)
        st.bar_chart(pd.DataFrame({"count": counts}, index=edges[:-1]))


st.set_page_config(layout="wide")
file = st.file_uploader("CSV file", type="csv")
if file:
    frame = read(file)
    left, right = st.columns([2, 1])
    with left:
        column = st.selectbox("Sort by", frame.columns, index=None)
        st.dataframe(frame.sort_values(column) if column else frame)
        st.text(f"{len(frame)} rows, sorted by {column}")
    with right:
        draw(frame)
