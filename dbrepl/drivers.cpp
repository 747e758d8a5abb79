#include "dbrepl/drivers.h"

#include <utility>

#include "base/error.h"
#include "dbrepl/sqlite_driver.h"

namespace hamn::dbrepl {

std::string not_replicable(Engine engine) {
  return "hamn cannot replicate a " + product_name(engine) + " database" +
         (engine == Engine::csv ? "" : " yet");
}

std::unique_ptr<ReplicationDriver> make_driver(ReplicationContext context) {
  switch (context.location.engine) {
    case Engine::sqlite:
      return std::make_unique<SqliteDriver>(std::move(context));
    case Engine::postgresql:
    case Engine::mysql:
    case Engine::db2:
    case Engine::csv:
      break;
  }
  const auto engine = context.location.engine;
  throw base::Error{
      {.what = not_replicable(engine),
       .detail = context.location.origin + " names it as xCAT's database",
       .hint = engine == Engine::csv
                   ? "move xCAT to SQLite or to a database server (xCAT documentation: databases)"
                   : "replicate it with the means of " + product_name(engine) +
                         "; for copies in between: dumpxCATdb -p DIRECTORY, and add DIRECTORY to a "
                         "file set",
       .code = base::Exit::usage}};
}

}  // namespace hamn::dbrepl
