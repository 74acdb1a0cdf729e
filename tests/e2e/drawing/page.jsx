// Copyright (c) 2026, gpuops.cloud contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later
//
// Draws a dashboard with Grafana's own components, its panels on Grafana's grid. window.DRAWN holds it, from and to in
// milliseconds, theme, width, and by panel what Prometheus answered to its queries, with the seconds between points.
import React from 'react';
import { createRoot } from 'react-dom/client';
import {
  applyFieldOverrides, cacheFieldDisplayNames, createTheme, dateTime, FieldType, getDisplayValueAlignmentFactors,
  getFieldDisplayValues, standardFieldConfigEditorRegistry, standardTransformers, standardTransformersRegistry,
  ThemeContext, toDataFrame, transformDataFrame, VizOrientation,
} from '@grafana/data';
import { BarGauge, BigValue, GlobalStyles, PanelChrome, TimeSeries, VizRepeater } from '@grafana/ui';
import { TableNG } from '@grafana/ui/unstable';

const { dashboard, answers, from, to, theme: colors, width } = window.DRAWN;
const theme = createTheme({ colors: { mode: colors } });
const range = { from: dateTime(from), to: dateTime(to), raw: { from: dateTime(from), to: dateTime(to) } };
const GAP = 8, ROW = 30;

// What the editor of a panel offers: here, what the panels of this dashboard and their overrides use.
const STANDARD = ['unit', 'min', 'max', 'decimals', 'displayName', 'color', 'thresholds', 'mappings', 'noValue'];
const customs = new Set();
for (const { fieldConfig } of dashboard.panels) {
  Object.keys(fieldConfig.defaults.custom ?? {}).forEach(key => customs.add(key));
  for (const { properties } of fieldConfig.overrides)
    for (const { id } of properties) if (id.startsWith('custom.')) customs.add(id.slice('custom.'.length));
}
const option = (path, isCustom) => ({
  id: isCustom ? `custom.${path}` : path, path, isCustom, name: path, process: value => value, shouldApply: () => true,
});
standardFieldConfigEditorRegistry.setInit(() =>
  [...STANDARD.map(path => option(path, false)), ...[...customs].map(path => option(path, true))]);
const transformers = new Map(Object.values(standardTransformers).map(one => [one.id, one]));  // one is there twice
standardTransformersRegistry.setInit(() =>
  [...transformers.values()].map(one => ({ id: one.id, name: one.name, transformation: async () => one })));

// -- from answers of Prometheus to frames, as Grafana's data source makes them -------------------

function legend(target, labels) {
  if (target.legendFormat && target.legendFormat !== '__auto')
    return target.legendFormat.replace(/\{\{\s*(\w+)\s*\}\}/g, (_all, name) => labels[name] ?? '');
  const { __name__: name = '', ...rest } = labels;
  const parts = Object.entries(rest).map(([key, value]) => `${key}="${value}"`);
  return parts.length ? `${name}{${parts.join(', ')}}` : name || target.expr;
}

// Lines leave out what is no number, as those of the panel do.
const number = text => (Number.isFinite(Number(text)) ? Number(text) : null);

function series(target, { step, rows }) {
  return rows.map(({ metric, values, value }) => {
    const points = values ?? [value];
    const name = legend(target, metric);
    return toDataFrame({ refId: target.refId, name, fields: [
      { name: 'Time', type: FieldType.time, config: { interval: step * 1000 },
        values: points.map(([time]) => time * 1000) },
      { name: 'Value', type: FieldType.number, labels: metric, config: { displayNameFromDS: name },
        values: points.map(([, text]) => number(text)) },
    ] });
  });
}

function table(target, { rows }) {
  const labels = [...new Set(rows.flatMap(({ metric }) => Object.keys(metric)))].sort();
  return [toDataFrame({ refId: target.refId, fields: [
    { name: 'Time', type: FieldType.time, values: rows.map(({ value }) => value[0] * 1000) },
    ...labels.map(name => ({ name, type: FieldType.string, values: rows.map(({ metric }) => metric[name] ?? '') })),
    { name: 'Value', type: FieldType.number, values: rows.map(({ value }) => Number(value[1])) },
  ] })];
}

// A panel that is loaded gets what its kind takes where nothing is said.
function configured(panel) {
  const { defaults, overrides } = structuredClone(panel.fieldConfig);
  for (const one of defaults.thresholds?.steps ?? []) one.value ??= -Infinity;
  if (panel.type === 'timeseries') {
    defaults.color ??= { mode: 'palette-classic' };
    defaults.custom = { drawStyle: 'line', lineInterpolation: 'linear', spanNulls: false, ...defaults.custom };
    customs.add('drawStyle');
  } else defaults.color ??= { mode: 'thresholds' };
  return { defaults, overrides };
}

function frames(panel, fieldConfig) {
  const found = panel.targets.flatMap((target, number) =>
    (target.format === 'table' ? table : series)(target, answers[panel.id][number]));
  const given = { fieldConfig, replaceVariables: text => text, theme, timeZone: 'utc' };
  return [found, data => applyFieldOverrides({ ...given, data })];
}

// -- panels ---------------------------------------------------------------------------------------

const middle = { display: 'grid', placeItems: 'center', height: '100%', color: theme.colors.text.secondary };
const nothing = <div style={middle}>No data</div>;

function Lines({ panel, found, override, width, height }) {
  // Bars are drawn with two more times, which the component writes into the lists it is given.
  const own = React.useMemo(() => override(found).map(frame =>
    ({ ...frame, fields: frame.fields.map(field => ({ ...field, values: [...field.values] })) })), []);
  return <TimeSeries frames={own} structureRev={1} width={width} height={height} timeRange={range} timeZone="utc"
    legend={panel.options.legend} options={panel.options} />;
}

function Values({ panel, fieldConfig, found, override, width, height }) {
  const { options } = panel, stat = panel.type === 'stat';
  const get = () => getFieldDisplayValues({
    fieldConfig, reduceOptions: options.reduceOptions, replaceVariables: text => text, theme, data: override(found),
    sparkline: stat && options.graphMode !== 'none', timeZone: 'utc',
  });
  const one = ({ value, width, height, orientation, count, alignmentFactors }) => {
    const { display, sparkline, field, view, colIndex } = value;
    return stat
      ? <BigValue value={display} sparkline={sparkline} count={count} {...{ alignmentFactors, width, height, theme }}
          colorMode={options.colorMode} graphMode={options.graphMode} justifyMode={options.justifyMode}
          textMode={options.textMode} disableWideLayout={!options.wideLayout} />
      : <BarGauge value={display} field={field} display={view?.getFieldDisplayProcessor(colIndex)}
          {...{ width, height, orientation, theme, alignmentFactors }} itemSpacing={8} lcdCellWidth={8}
          displayMode={options.displayMode} showUnfilled={options.showUnfilled}
          valueDisplayMode={options.valueMode} namePlacement={options.namePlacement} />;
  };
  const orientation = stat && options.orientation === 'auto'
    ? (width > height ? VizOrientation.Vertical : VizOrientation.Horizontal) : options.orientation;
  return <VizRepeater getValues={get} renderValue={one} source={found} renderCounter={1}
    {...{ width, height, orientation }}
    getAlignmentFactors={values => getDisplayValueAlignmentFactors(values)}
    itemSpacing={stat ? 3 : 10} autoGrid={stat && options.orientation === 'auto'}
    minVizHeight={options.minVizHeight} minVizWidth={options.minVizWidth} maxVizHeight={options.maxVizHeight} />;
}

function Rows({ panel, found, override, fieldConfig, width, height }) {
  const [rows, setRows] = React.useState();
  React.useEffect(() => {
    const watched = transformDataFrame(panel.transformations ?? [], found).subscribe(data => {
      const shown = override(data);
      cacheFieldDisplayNames(shown);
      setRows(shown);
    });
    return () => watched.unsubscribe();
  }, []);
  return rows
    ? <TableNG data={rows[0]} structureRev={1} enableVirtualization={false} {...{ fieldConfig, width, height }} />
    : null;
}

function Content({ panel, width, height }) {
  const fieldConfig = React.useMemo(() => configured(panel), []);
  const [found, override] = React.useMemo(() => frames(panel, fieldConfig), []);
  const given = { panel, fieldConfig, found, override, width, height };
  if (panel.type === 'stat' || panel.type === 'bargauge') return <Values {...given} />;
  if (!found.length || !found[0].length) return nothing;
  return panel.type === 'table' ? <Rows {...given} /> : <Lines {...given} />;
}

function Panel({ panel }) {
  const { x, y, w, h } = panel.gridPos, column = (width - GAP) / 24;
  const size = { width: w * column - GAP, height: h * (ROW + GAP) - GAP };
  const place = { position: 'absolute', left: GAP + x * column, top: GAP + y * (ROW + GAP), ...size };
  return <div style={place} data-panel={panel.title}>
    <PanelChrome {...size} title={panel.title} description={panel.description}
      padding={panel.type === 'table' ? 'none' : 'md'}>
      {(width, height) => <Content {...{ panel, width, height }} />}
    </PanelChrome>
  </div>;
}

function Page() {
  const page = { position: 'relative', background: theme.colors.background.canvas };
  const bottom = Math.max(...dashboard.panels.map(({ gridPos: { y, h } }) => y + h));
  return <ThemeContext.Provider value={theme}><GlobalStyles />
    <div style={{ ...page, height: GAP + bottom * (ROW + GAP) }}>
      {dashboard.panels.map(panel => <Panel key={panel.id} panel={panel} />)}
    </div>
  </ThemeContext.Provider>;
}

createRoot(document.getElementById('root')).render(<Page />);
