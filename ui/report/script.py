"""What the report does: it draws its figures, and gives each as CSV, PNG or SVG."""

SCRIPT = """
(() => {
  const figures = JSON.parse(document.getElementById('figures').textContent);
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const INK = { light: '#17212b', dark: '#e6edf3' };
  const clear = 'rgba(0,0,0,0)';
  const inked = (layout, shade, page) => ({
    ...layout, paper_bgcolor: page, plot_bgcolor: page,
    font: { ...layout.font, color: INK[shade] },
  });
  const shade = () => (dark.matches ? 'dark' : 'light');
  const settings = { displayModeBar: false, responsive: true };
  const PAPER = 325;  // Pixels of a column on paper: charts keep the width they are drawn with.
  const draw = (as, width) => {
    for (const [name, figure] of Object.entries(figures)) {
      const place = document.getElementById('chart-' + name);
      const alone = place.parentElement.matches('.wide');
      const layout = inked(figure.layout, as, clear);
      if (width) layout.width = alone ? 2 * width + 20 : width;
      Plotly.react(place, figure.data, layout, { ...settings, responsive: !width });
    }
  };
  draw(shade());
  dark.addEventListener('change', () => draw(shade()));
  let opened = [];
  addEventListener('beforeprint', () => {
    opened = [...document.querySelectorAll('details.record:not([open])')];
    for (const record of opened) record.open = true;
    draw('light', PAPER);
  });
  addEventListener('afterprint', () => {
    for (const record of opened) record.open = false;
    draw(shade());
  });
  const save = (address, name) => {
    const link = document.createElement('a');
    link.href = address;
    link.download = name;
    document.body.append(link);
    link.click();
    link.remove();
  };
  document.addEventListener('click', (event) => {
    const button = event.target.closest('button[data-figure]');
    if (!button) return;
    const name = button.dataset.figure;
    const figure = figures[name];
    if (button.dataset.as === 'csv') {
      save('data:text/csv;charset=utf-8,' + encodeURIComponent(figure.csv), figure.file + '.csv');
      return;
    }
    const place = document.getElementById('chart-' + name);
    Plotly.downloadImage(
      { data: figure.data, layout: inked(figure.layout, 'light', '#ffffff') },
      { format: button.dataset.as, filename: figure.file, width: Math.max(700, place.clientWidth),
        height: figure.layout.height || 400, scale: button.dataset.as === 'png' ? 2 : 1 },
    );
  });
  document.documentElement.dataset.drawn = Object.keys(figures).length;
})();
"""
