#include <gtest/gtest.h>

#include <filesystem>

#include "base/error.h"
#include "base/hash.h"
#include "tests/unit/dbrepl/worlds.h"

namespace hamn::dbrepl {
namespace {

namespace fs = std::filesystem;
using test::Tables;

class AcceptTest : public test::AcceptWorld {
 protected:
  RecoveryPoint change_and_accept(const std::string& value) {
    tables_.put("site", "changed", value);
    snapshot();
    ship();
    return accept();
  }
  [[nodiscard]] std::vector<std::string> ids() const {
    std::vector<std::string> ids;
    for (const auto& kept : list_points(points_)) {
      ids.push_back(kept.directory.substr(points_.size() + 1) +
                    (kept.problem.empty() ? "" : " damaged"));
    }
    return ids;
  }
  base::ErrorText error_of_accepting() {
    try {
      (void)accept();
    } catch (const base::Error& error) {
      EXPECT_FALSE(error.hint().empty());
      return error.text();
    }
    ADD_FAILURE() << "no error";
    return {};
  }
  [[nodiscard]] std::string in_point(const std::string& id, const std::string& file) const {
    return points_ + "/" + id + "/" + file;
  }
};

using Ids = std::vector<std::string>;

TEST_F(AcceptTest, PublishesWhatArrived) {
  const auto taken = snapshot();
  ship();
  EXPECT_EQ(accept(), taken);
  EXPECT_EQ(ids(), Ids{"p0001-00000001"});
  EXPECT_EQ(newest_point(points_)->point, taken);
  EXPECT_EQ(Tables{points_ + "/p0001-00000001"}.all(), tables_.all());
  EXPECT_TRUE(check_sqlite_point(*newest_point(points_)).empty());
}

TEST_F(AcceptTest, SharesUnchangedFilesBetweenPoints) {
  snapshot();
  ship();
  accept();
  change_and_accept("once");
  EXPECT_EQ(ids(), (Ids{"p0001-00000002", "p0001-00000001"}));
  EXPECT_EQ(test::inode_of(in_point("p0001-00000001", "nodelist.sqlite")),
            test::inode_of(in_point("p0001-00000002", "nodelist.sqlite")));
  EXPECT_EQ(Tables{points_ + "/p0001-00000001"}.value("site", "changed"), "");
  EXPECT_EQ(Tables{points_ + "/p0001-00000002"}.value("site", "changed"), "once");
}

TEST_F(AcceptTest, RenewsOnlyTheManifestOfTheSameGeneration) {
  snapshot();
  ship();
  accept();
  const auto inode = test::inode_of(points_ + "/p0001-00000001");
  const auto again = snapshot();
  ship();
  EXPECT_EQ(accept().taken, again.taken);
  EXPECT_EQ(newest_point(points_)->point, again);
  EXPECT_EQ(test::inode_of(points_ + "/p0001-00000001"), inode);
  EXPECT_EQ(accept().taken, again.taken) << "and once more changes nothing";
}

TEST_F(AcceptTest, KeepsTheNewestGoodOnes) {
  snapshot();
  ship();
  accept();
  for (const char* value : {"a", "b", "c", "d"}) change_and_accept(value);
  test::flip_bit(in_point("p0001-00000004", "site.sqlite"), 4100);
  tables_.put("site", "changed", "e");
  snapshot();
  ship();
  accept(2);
  EXPECT_EQ(ids(), (Ids{"p0001-00000006", "p0001-00000005"}));
  tables_.put("site", "changed", "f");
  snapshot();
  ship();
  test::flip_bit(in_point("p0001-00000006", "site.sqlite"), 4100);
  accept(2);
  EXPECT_EQ(ids(), (Ids{"p0001-00000007", "p0001-00000006 damaged", "p0001-00000005"}));
  accept(0);
  EXPECT_EQ(ids(), Ids{"p0001-00000007"}) << "at least one stays";
}

TEST_F(AcceptTest, RefusesAnOlderGeneration) {
  snapshot();
  ship();
  accept();
  const auto old = test::tree_of(incoming_);
  change_and_accept("new");
  for (const auto& [name, content] : old) test::write(incoming_ + "/" + name, content);
  const auto error = error_of_accepting();
  EXPECT_EQ(error.what, "refused recovery point p0001-00000001 from mn1");
  EXPECT_EQ(error.code, base::Exit::refused);
  EXPECT_EQ(error.hint, "count on from there; on mn1: hamn db replicate");
}

TEST_F(AcceptTest, RefusesALowerEpochWhateverItsGeneration) {
  request_.epoch = 2;
  snapshot();
  ship();
  accept();
  request_.epoch = 1;
  request_.host = "mn2";
  request_.after_generation = 1000;
  snapshot();
  ship();
  const auto error = error_of_accepting();
  EXPECT_EQ(error.code, base::Exit::refused);
  EXPECT_EQ(error.hint, "a takeover happened since; see who is in charge: hamn status");
  EXPECT_EQ(ids(), Ids{"p0002-00000001"});
}

TEST_F(AcceptTest, TakesAHigherEpochWhateverItsGeneration) {
  request_.after_generation = 41;
  snapshot();
  ship();
  accept();
  fs::remove_all(request_.outgoing);
  request_.after_generation = 0;
  request_.epoch = 2;
  snapshot();
  ship();
  accept();
  EXPECT_EQ(ids(), (Ids{"p0002-00000001", "p0001-00000042"}));
}

TEST_F(AcceptTest, RefusesAnotherCopyWithTheSameNumber) {
  snapshot();
  ship();
  accept();
  fs::remove_all(request_.outgoing);
  tables_.put("site", "other", "content");
  snapshot();
  ship();
  const auto error = error_of_accepting();
  EXPECT_EQ(error.detail, "another copy with that number is already here");
  EXPECT_EQ(error.code, base::Exit::refused);
}

TEST_F(AcceptTest, SaysThatNothingArrived) {
  EXPECT_EQ(error_of_accepting().detail, "nothing has arrived yet");
  fs::create_directory(incoming_);
  EXPECT_EQ(error_of_accepting().detail, "its manifest is missing");
}

TEST_F(AcceptTest, RefusesEveryKindOfDamageAndKeepsWhatItHas) {
  snapshot();
  ship();
  accept();
  const auto good = test::tree_of(points_);
  tables_.put("site", "changed", "new");
  tables_.put("nodelist", "changed", "new");
  snapshot();
  ship();
  const auto arrived = test::tree_of(incoming_);
  const auto& nodelist = arrived.at("nodelist.sqlite");
  const auto expect_refusal = [&](const std::string& content, const std::string& what) {
    test::write(incoming_ + "/part", content);
    fs::rename(incoming_ + "/part", incoming_ + "/nodelist.sqlite");
    const auto error = error_of_accepting();
    EXPECT_NE(error.detail.find("nodelist.sqlite"), std::string::npos) << what << error.detail;
    EXPECT_EQ(test::tree_of(points_), good) << what;
  };
  for (std::size_t size = 0; size < nodelist.size(); size += 997) {
    expect_refusal(nodelist.substr(0, size), "truncated to " + std::to_string(size));
  }
  for (std::size_t byte = 0; byte < nodelist.size(); byte += 1499) {
    auto damaged = nodelist;
    damaged[byte] = static_cast<char>(damaged[byte] ^ 1);
    expect_refusal(damaged, "bit flipped in byte " + std::to_string(byte));
  }
  expect_refusal(nodelist + "x", "one byte more");
  expect_refusal(good.at("p0001-00000001/nodelist.sqlite"), "that of the last generation");
  fs::remove(incoming_ + "/nodelist.sqlite");
  EXPECT_EQ(error_of_accepting().detail, "nodelist.sqlite is missing");
  test::write(incoming_ + "/nodelist.sqlite", nodelist);
  EXPECT_EQ(accept().generation, 2U) << "and whole again it is welcome";
}

TEST_F(AcceptTest, RefusesFilesWhoseContentIsNotWhatTheManifestSays) {
  snapshot();
  ship();
  auto point = parse_manifest(test::read(incoming_ + "/manifest.json"), "m");
  point.tables[0].rows = 199;
  test::write(incoming_ + "/manifest.json", format_manifest(point));
  EXPECT_EQ(error_of_accepting().detail, "nodelist: 200 rows instead of 199");
  point.tables[0].rows = 200;
  point.tables[0].content = std::string(32, '0');
  test::write(incoming_ + "/manifest.json", format_manifest(point));
  EXPECT_EQ(error_of_accepting().detail, "nodelist: other content");
  test::write(incoming_ + "/nodelist.sqlite", "no database at all, though its hash fits");
  point.tables[0].size_bytes = 40;
  point.tables[0].sha256 = base::sha256("no database at all, though its hash fits");
  test::write(incoming_ + "/manifest.json", format_manifest(point));
  EXPECT_EQ(error_of_accepting().detail, "nodelist: file is not a database");
  point.tables.clear();
  test::write(incoming_ + "/manifest.json", format_manifest(point));
  EXPECT_EQ(error_of_accepting().detail, "it holds no table");
}

TEST_F(AcceptTest, RepairsADamagedPointWhenItArrivesAgain) {
  snapshot();
  ship();
  accept();
  const auto good = test::read(in_point("p0001-00000001", "site.sqlite"));
  fs::remove(in_point("p0001-00000001", "site.sqlite"));
  EXPECT_EQ(ids(), Ids{"p0001-00000001 damaged"});
  accept();
  EXPECT_EQ(ids(), Ids{"p0001-00000001"});
  EXPECT_EQ(test::read(in_point("p0001-00000001", "site.sqlite")), good);
  fs::remove(in_point("p0001-00000001", "manifest.json"));
  accept();
  EXPECT_EQ(ids(), Ids{"p0001-00000001"});
}

TEST_F(AcceptTest, NamesDamageAndChoosesTheOlderPoint) {
  snapshot();
  ship();
  accept();
  change_and_accept("new");
  test::flip_bit(in_point("p0001-00000002", "site.sqlite"), 8000);
  const auto points = list_points(points_);
  EXPECT_EQ(points.at(0).problem, "site.sqlite does not have the SHA-256 that its manifest names");
  EXPECT_EQ(newest_point(points_)->point->generation, 1U);
  fs::remove(in_point("p0001-00000001", "nodelist.sqlite"));
  EXPECT_FALSE(newest_point(points_));
  EXPECT_EQ(list_points(points_).at(1).problem, "nodelist.sqlite is missing");
  fs::rename(points_ + "/p0001-00000001", points_ + "/p0001-00000009");
  EXPECT_EQ(list_points(points_).at(0).problem, "its manifest is that of p0001-00000001");
}

}  // namespace
}  // namespace hamn::dbrepl
