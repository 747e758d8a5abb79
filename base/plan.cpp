#include "base/plan.h"

#include <array>
#include <cstdio>

#include "base/hash.h"
#include "base/text.h"

namespace hamn::base {

namespace {

std::string octal(unsigned mode) {
  std::array<char, 8> text{};
  (void)std::snprintf(text.data(), text.size(), "%04o", mode);
  return text.data();
}

/// Fields with their lengths and lists with their counts, so that no two different plans are the
/// same bytes.
void add_field(Sha256& hash, std::string_view field) {
  hash.add(std::to_string(field.size()) + ":");
  hash.add(field);
}

void add_run(Sha256& hash, const RunCommand& run) {
  add_field(hash, "command");
  add_field(hash, std::to_string(run.command.argv.size()));
  for (const auto& word : run.command.argv) add_field(hash, word);
  add_field(hash, run.command.input);
  add_field(hash, std::to_string(run.command.environment.size()));
  for (const auto& [name, value] : run.command.environment) {
    add_field(hash, name);
    add_field(hash, value);
  }
  add_field(hash, run.command.user);
  add_field(hash, std::to_string(run.accepted.size()));
  for (const int code : run.accepted) add_field(hash, std::to_string(code));
}

}  // namespace

std::string to_text(State state) {
  switch (state) {
    case State::due:
      return "due";
    case State::done:
      return "done";
    case State::blocked:
      return "blocked";
    case State::unknown:
      return "unknown";
    case State::not_applicable:
      return "not_applicable";
  }
  return "unknown";
}

Action run_on(const std::string& host, const std::string& sentence, Command command,
              std::vector<int> accepted) {
  return {.sentence = sentence,
          .host = host,
          .act = RunCommand{.command = std::move(command), .accepted = std::move(accepted)}};
}

Action write_on(const std::string& host, const std::string& sentence, FileWrite file) {
  return {.sentence = sentence, .host = host, .act = std::move(file)};
}

void Plan::append(const Plan& more) {
  actions.insert(actions.end(), more.actions.begin(), more.actions.end());
}

std::string to_text(const Action& action) {
  if (const auto* run = std::get_if<RunCommand>(&action.act)) return to_text(run->command);
  const auto& file = std::get<FileWrite>(action.act);
  return "write " + shell_word(file.path) + " (" + human_size(file.content.size()) + ", mode " +
         octal(file.mode) + ", owner " + file.owner + (file.secret ? ", secret" : "") + ")";
}

std::string digest(const Plan& plan) {
  Sha256 hash;
  for (const auto& action : plan.actions) {
    add_field(hash, action.host);
    if (const auto* run = std::get_if<RunCommand>(&action.act)) {
      add_run(hash, *run);
      continue;
    }
    const auto& file = std::get<FileWrite>(action.act);
    add_field(hash, "write");
    add_field(hash, file.path);
    add_field(hash, file.content);
    add_field(hash, octal(file.mode));
    add_field(hash, file.owner);
  }
  return hash.digits();
}

}  // namespace hamn::base
