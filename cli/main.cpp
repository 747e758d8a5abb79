#include "cli/commands.h"

int main(int argc, char** argv) {
  return hamn::cli::run_program(argc, argv);
}
