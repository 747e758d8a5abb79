#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace hamn::parity {

/// Which kinds of things a generated tree may hold.
struct Ingredients {
  bool hard_links = false;
  bool specials = false;    ///< devices, fifos and sockets
  bool attributes = false;  ///< extended attributes and access control lists
  bool outside_links = true;
  bool symlinks = true;
};

/// Makes and changes trees at random; the same seed makes the same tree.
class TreeMaker {
 public:
  TreeMaker(std::string root, Ingredients ingredients, unsigned seed);
  /// Fills the empty root.
  void make();
  /// Changes some things of it: contents, times, modes, names, kinds. `may_remove` lets names go
  /// and change their kind.
  void change(bool may_remove);

 private:
  [[nodiscard]] std::uint32_t random(std::uint32_t below);
  [[nodiscard]] std::string new_name();
  [[nodiscard]] std::string content();
  void make_something(const std::string& directory, int depth);
  void make_file(const std::string& path);
  void make_link(const std::string& path);
  void make_special(const std::string& path);
  void decorate(const std::string& path);
  void decorate_everything();
  void give_attributes(const std::string& path);
  void give_acl(const std::string& path, bool is_directory);
  [[nodiscard]] std::vector<std::string> everything() const;
  void change_one(const std::string& path, bool may_remove);

  std::string root_;
  Ingredients ingredients_;
  std::mt19937 random_;
  std::vector<std::string> files_;
  std::vector<std::string> directories_;
  int names_ = 0;
};

}  // namespace hamn::parity
