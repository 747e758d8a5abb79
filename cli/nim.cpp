#include <CLI/CLI.hpp>

#include "base/text.h"
#include "cli/commands.h"
#include "nimrebuild/lsdef.h"

namespace hamn::cli {

namespace {

base::Exit list_images(Environment& environment) {
  const auto& site = environment.site();
  const base::Command lsdef{.argv = {site.xcat_root + "/bin/lsdef", "-t", "osimage", "-l"},
                            .time_limit = std::chrono::minutes{2},
                            .output_limit_bytes = 64U << 20U};
  const auto outcome = environment.hosts().at(environment.here()).run(lsdef);
  if (!outcome.succeeded()) {
    throw base::Error{{.what = "cannot list the osimages",
                       .detail = "lsdef " + base::describe(outcome, lsdef),
                       .hint = "xcatd has to run on this host: lsxcatd -d"}};
  }
  base::Table table{
      .columns = {{"osimage", "osimage"}, {"type", "NIM type"}, {"resources", "NIM resources"}},
      .rows = {}};
  for (const auto& image : nimrebuild::parse_lsdef(outcome.output)) {
    const auto resources = nimrebuild::nim_resources(image);
    if (resources.empty()) continue;
    std::vector<std::string> words;
    for (const auto& [type, names] : resources) {
      words.push_back(type + "=" + base::join(names, ","));
    }
    const auto type = image.attributes.find("nimtype");
    table.rows.push_back({.cells = {image.name, type == image.attributes.end() ? "" : type->second,
                                    base::join(words, " ")}});
  }
  const auto count = table.rows.size();
  show(environment,
       {.title = "NIM osimages",
        .mark = base::Mark::neutral,
        .verdict = "done",
        .headline = std::to_string(count) + " osimages of this cluster are made of NIM resources.",
        .sections = {{.key = "images", .title = "Images", .body = std::move(table)}}});
  return base::Exit::done;
}

}  // namespace

void add_nim_commands(CLI::App& app, Environment& environment, Chosen& chosen) {
  auto* nim = app.add_subcommand("nim", "AIX NIM resources of the cluster");
  nim->require_subcommand(1);
  auto* images = nim->add_subcommand("images", "List osimages that are made of NIM resources");
  images->callback([&] { chosen = [&] { return list_images(environment); }; });
}

}  // namespace hamn::cli
