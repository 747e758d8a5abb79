#include <algorithm>
#include <array>
#include <cstdio>
#include <string>

#include "base/report.h"
#include "base/text.h"

namespace hamn::base {

namespace {

constexpr const char* style = R"(
:root{--ink:#1b2430;--soft:#5b6b7d;--line:#d9e0e7;--paper:#fff;--good:#1a7f4b;--warn:#a86500;--bad:#b3261e;--plain:#44617d}
@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#9fb0c0;--line:#30363d;--paper:#0d1117;--good:#3fb950;--warn:#d29922;--bad:#f85149;--plain:#79a8d8}}
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:70rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.5rem;margin:0}h2{font-size:1.1rem;margin:2rem 0 .5rem;border-bottom:1px solid var(--line);padding-bottom:.2rem}
.headline{font-size:1.05rem;margin:.4rem 0 0}.badge{display:inline-block;color:var(--paper);border-radius:.3rem;padding:.05rem .5rem;font-weight:600;font-size:.85rem}
.good{color:var(--good)}.warning{color:var(--warn)}.bad{color:var(--bad)}.neutral{color:var(--soft)}
.badge.good{background:var(--good);color:var(--paper)}.badge.warning{background:var(--warn);color:var(--paper)}.badge.bad{background:var(--bad);color:var(--paper)}.badge.neutral{background:var(--soft);color:var(--paper)}
table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.3rem .8rem .3rem 0;border-bottom:1px solid var(--line)}
th{font-weight:600;color:var(--soft);font-size:.85rem}td{overflow-wrap:anywhere;white-space:pre-line}td.short{white-space:nowrap}
dl{display:grid;grid-template-columns:minmax(9rem,max-content) 1fr;gap:.25rem 1.2rem;margin:0}dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere;white-space:pre-line}
svg{width:100%;height:auto}svg text{fill:var(--ink);font:12px system-ui,sans-serif}svg .soft{fill:var(--soft)}svg line{stroke:var(--line)}
rect.good{fill:var(--good)}rect.warning{fill:var(--warn)}rect.bad{fill:var(--bad)}rect.neutral{fill:var(--plain)}
@media print{body{margin:0;max-width:none}h2{break-after:avoid}tr,svg{break-inside:avoid}}
)";

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : indent_following_lines(text, 0)) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string number(double value) {
  std::array<char, 32> text{};
  (void)std::snprintf(text.data(), text.size(), "%.1f", value);
  return text.data();
}

std::string time_label(std::int64_t milliseconds) {
  return human_duration(std::chrono::milliseconds{milliseconds});
}

/// A round step that cuts `span` into at most eight parts.
std::int64_t tick_step(std::int64_t span) {
  std::int64_t step = 1;
  for (;;) {
    for (const std::int64_t factor : {1, 2, 5}) {
      if (span / (step * factor) <= 8) return step * factor;
    }
    step *= 10;
  }
}

constexpr std::size_t longest_unbroken = 16;  ///< cells up to this length stay on one line
constexpr double left = 230;
constexpr double right = 980;
constexpr double row_height = 22;

std::string axis(std::int64_t span, double height) {
  std::string out;
  const auto step = tick_step(span);
  for (std::int64_t at = 0; at <= span; at += step) {
    const auto x = left + (right - left) * static_cast<double>(at) / static_cast<double>(span);
    out += "<line x1=\"" + number(x) + "\" y1=\"18\" x2=\"" + number(x) + "\" y2=\"" +
           number(height) + "\"/><text class=\"soft\" x=\"" + number(x + 3) + "\" y=\"12\">" +
           (at == 0 ? "0" : time_label(at)) + "</text>";
  }
  return out;
}

struct HtmlBody {
  std::string operator()(const FactList& facts) const {
    std::string out = "<dl>";
    for (const auto& item : facts.items) {
      out += "<dt>" + escaped(item.name) + "</dt><dd>" + escaped(item.value) + "</dd>\n";
    }
    return out + "</dl>";
  }

  std::string operator()(const Table& table) const {
    std::string out = "<table><thead><tr><th></th>";
    for (const auto& column : table.columns) out += "<th>" + escaped(column.title) + "</th>";
    out += "</tr></thead><tbody>\n";
    for (const auto& row : table.rows) {
      out += "<tr><td class=\"" + to_text(row.mark) + "\">" + sign(row.mark) + "</td>";
      for (const auto& each : row.cells) {
        out += (each.size() <= longest_unbroken ? "<td class=\"short\">" : "<td>") + escaped(each) +
               "</td>";
      }
      out += "</tr>\n";
    }
    return out + "</tbody></table>";
  }

  static std::string sign(Mark mark) {
    switch (mark) {
      case Mark::good:
        return "&#10003;";
      case Mark::warning:
        return "!";
      case Mark::bad:
        return "&#10007;";
      case Mark::neutral:
        return "&#8211;";
    }
    return "";
  }

  std::string operator()(const Timeline& timeline) const {
    std::int64_t span = 1;
    for (const auto& bar : timeline.bars) span = std::max(span, bar.end_ms);
    const double height = 26 + row_height * static_cast<double>(timeline.bars.size());
    std::string out = "<svg viewBox=\"0 0 1000 " + number(height) +
                      "\" role=\"img\" aria-label=\"Timeline\">" + axis(span, height);
    double y = 22;
    for (const auto& bar : timeline.bars) {
      const auto scale = (right - left) / static_cast<double>(span);
      const auto x = left + scale * static_cast<double>(bar.start_ms);
      const auto w = std::max(2.0, scale * static_cast<double>(bar.end_ms - bar.start_ms));
      const auto took = time_label(bar.end_ms - bar.start_ms);
      out += "<text x=\"0\" y=\"" + number(y + 13) + "\">" + escaped(bar.label) + "</text>" +
             "<rect class=\"" + to_text(bar.mark) + "\" x=\"" + number(x) + "\" y=\"" +
             number(y + 2) + "\" width=\"" + number(w) + "\" height=\"14\" rx=\"2\"><title>" +
             escaped(bar.label + ": " + took + (bar.note.empty() ? "" : ", " + bar.note)) +
             "</title></rect>";
      // The duration stands behind its bar, or before it where there is no room behind.
      const bool fits = x + w + 60 < right;
      out += "<text class=\"soft\" x=\"" + number(fits ? x + w + 5 : x - 5) + "\" y=\"" +
             number(y + 13) + "\"" + (fits ? "" : " text-anchor=\"end\"") + ">" + took +
             "</text>\n";
      y += row_height;
    }
    return out + "</svg>";
  }

  std::string operator()(const Prose& prose) const {
    std::string out;
    for (const auto& paragraph : prose.paragraphs) out += "<p>" + escaped(paragraph) + "</p>\n";
    return out;
  }
};

}  // namespace

std::string to_html(const Report& report) {
  std::string out =
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width\"><title>" +
      escaped(report.title) + "</title><style>" + style + "</style></head><body>\n";
  out += "<h1>" + escaped(report.title) + "</h1><p class=\"headline\"><span class=\"badge " +
         to_text(report.mark) + "\">" + escaped(report.verdict) + "</span> " +
         escaped(report.headline) + "</p>\n";
  for (const auto& section : report.sections) {
    out += "<section id=\"" + escaped(section.key) + "\"><h2>" + escaped(section.title) +
           "</h2>\n" + std::visit(HtmlBody{}, section.body) + "</section>\n";
  }
  return out + "</body></html>\n";
}

}  // namespace hamn::base
