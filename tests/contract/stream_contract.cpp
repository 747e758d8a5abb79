#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <functional>
#include <thread>

#include "base/error.h"
#include "base/hash.h"
#include "base/text.h"
#include "tests/contract/host_kinds.h"

namespace hamn::test {

using base::Milliseconds;
using base::Stream;

namespace {

constexpr Milliseconds patient{20'000};

enum class StreamKind { pair, process, openssh, libssh2 };

std::string to_text(StreamKind kind) {
  switch (kind) {
    case StreamKind::pair:
      return "pair";
    case StreamKind::process:
      return "process";
    case StreamKind::openssh:
      return "openssh";
    case StreamKind::libssh2:
      return "libssh2";
  }
  return "";
}

HostKind host_of(StreamKind kind) {
  if (kind == StreamKind::openssh) return HostKind::openssh;
  return kind == StreamKind::libssh2 ? HostKind::libssh2 : HostKind::local;
}

std::string what_of(const std::function<void()>& act) {
  try {
    act();
  } catch (const base::Error& error) {
    EXPECT_FALSE(error.hint().empty());
    return error.what();
  }
  return "";
}

std::string read_some(Stream& stream, Milliseconds limit = patient) {
  std::string buffer(65536, '\0');
  buffer.resize(stream.read(buffer.data(), buffer.size(), limit));
  return buffer;
}

std::string read_all(Stream& stream) {
  std::string all;
  for (std::string part = read_some(stream); !part.empty(); part = read_some(stream)) all += part;
  return all;
}

/// Sends `total` bytes and takes them back in two threads, as a sender with acknowledgements does.
/// Answers the hashes of what was sent and of what came back.
std::pair<std::string, std::string> echo(Stream& stream, std::size_t total) {
  const auto block = noise(1'000'003);
  base::Sha256 sent;
  std::string write_error;
  std::thread writer{[&] {
    write_error = what_of([&] {
      for (std::size_t done = 0; done < total;) {
        const auto part = std::string_view{block}.substr(0, std::min(block.size(), total - done));
        stream.write(part, patient);
        sent.add(part);
        done += part.size();
      }
      stream.close_write();
    });
  }};
  base::Sha256 received;
  const auto read_error = what_of([&] {
    for (auto part = read_some(stream); !part.empty(); part = read_some(stream)) received.add(part);
  });
  writer.join();
  EXPECT_EQ("", write_error);
  EXPECT_EQ("", read_error);
  return {sent.digits(), received.digits()};
}

}  // namespace

/// What every Stream does. The far end of a pair is a thread, that of the others a program.
class StreamContract : public testing::TestWithParam<StreamKind> {
 protected:
  ~StreamContract() override {
    if (far_thread_.joinable()) {
      far_->close();
      far_thread_.join();
    }
  }

  /// A stream whose far end gives back whatever it gets.
  std::unique_ptr<Stream> echoing() {
    if (GetParam() != StreamKind::pair)
      return make_host(host_of(GetParam()))->open({.argv = {"cat"}});
    auto near = pair();
    far_thread_ = std::thread{[this] {
      (void)what_of([&] {
        for (auto part = read_some(*far_); !part.empty(); part = read_some(*far_)) {
          far_->write(part, patient);
        }
        far_->close_write();
      });
    }};
    return near;
  }

  /// A stream whose far end neither reads nor writes.
  std::unique_ptr<Stream> deaf() {
    if (GetParam() == StreamKind::pair) return pair();
    return make_host(host_of(GetParam()))->open({.argv = {"sleep", "60"}});
  }

  std::unique_ptr<Stream> pair() {
    auto [near, far] = base::make_stream_pair();
    far_ = std::move(far);
    return std::move(near);
  }

  std::unique_ptr<Stream> far_;
  std::thread far_thread_;
};

INSTANTIATE_TEST_SUITE_P(Streams, StreamContract,
                         testing::Values(StreamKind::pair, StreamKind::process, StreamKind::openssh,
                                         StreamKind::libssh2),
                         [](const auto& kind) { return to_text(kind.param); });

TEST_P(StreamContract, CarriesBytesInBothDirections) {
  const auto stream = echoing();
  for (const std::string text : {"ping", "x", "pong"}) {
    stream->write(text, patient);
    std::string back;
    while (back.size() < text.size()) back += read_some(*stream);
    EXPECT_EQ(text, back);
  }
  stream->write("", patient);
}

TEST_P(StreamContract, CarriesMuchInBothDirectionsAtOnce) {
  const auto stream = echoing();
  const auto [sent, received] = echo(*stream, 64U << 20U);
  EXPECT_EQ(sent, received);
  EXPECT_EQ(0, stream->finish(patient).exit_code);
}

TEST_P(StreamContract, GivesNoMoreThanAsked) {
  const auto stream = echoing();
  stream->write("abc", patient);
  std::string all;
  char byte = 0;
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(1U, stream->read(&byte, 1, patient));
    all += byte;
  }
  EXPECT_EQ("abc", all);
}

TEST_P(StreamContract, SeesTheEndAfterTheLastByte) {
  const auto stream = echoing();
  stream->write("last words", patient);
  stream->close_write();
  EXPECT_EQ("last words", read_all(*stream));
  EXPECT_EQ("", read_some(*stream)) << "and again";
}

TEST_P(StreamContract, WaitsNoLongerThanItsLimitForSomethingToRead) {
  const auto stream = echoing();
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ("the other end does not answer",
            what_of([&] { (void)read_some(*stream, Milliseconds{50}); }));
  EXPECT_LT(std::chrono::steady_clock::now() - start, Milliseconds{1000});
  stream->write("still there", patient);
  EXPECT_EQ("still there", read_some(*stream)) << "a limit that passed breaks nothing";
}

TEST_P(StreamContract, WaitsNoLongerThanItsLimitForSomebodyToListen) {
  const auto stream = deaf();
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ("the other end does not answer",
            what_of([&] { stream->write(noise(32U << 20U), Milliseconds{300}); }));
  EXPECT_LT(std::chrono::steady_clock::now() - start, Milliseconds{8000});
}

TEST_P(StreamContract, CloseInAnotherThreadEndsAWaitingRead) {
  const auto stream = echoing();
  std::string error;
  std::thread reader{[&] { error = what_of([&] { (void)read_some(*stream); }); }};
  std::this_thread::sleep_for(Milliseconds{30});
  const auto start = std::chrono::steady_clock::now();
  stream->close();
  reader.join();
  EXPECT_LT(std::chrono::steady_clock::now() - start, patient / 2);
  EXPECT_NE("", error);
}

TEST_P(StreamContract, CloseInAnotherThreadEndsAWaitingWrite) {
  const auto stream = deaf();
  const auto much = noise(32U << 20U);
  std::string error;
  std::thread writer{[&] { error = what_of([&] { stream->write(much, patient); }); }};
  std::this_thread::sleep_for(Milliseconds{50});
  const auto start = std::chrono::steady_clock::now();
  stream->close();
  writer.join();
  EXPECT_LT(std::chrono::steady_clock::now() - start, patient / 2);
  EXPECT_NE("", error);
}

TEST_P(StreamContract, GivesNothingMoreOnceItIsClosed) {
  const auto stream = echoing();
  stream->write("x", patient);
  stream->close();
  EXPECT_NE("", what_of([&] { (void)read_some(*stream); }));
  EXPECT_NE("", what_of([&] { stream->write("y", patient); }));
  stream->close();
}

TEST_P(StreamContract, EndsQuicklyWhateverItsFarEndDoes) {
  const auto start = std::chrono::steady_clock::now();
  { const auto stream = deaf(); }
  {
    const auto stream = deaf();
    stream->close();
    (void)stream->finish(Milliseconds{100});
  }
  (void)deaf()->finish(Milliseconds{100});
  EXPECT_LT(std::chrono::steady_clock::now() - start, Milliseconds{8000});
}

/// What a stream to a program does beyond that.
class ProgramStreamContract : public testing::TestWithParam<StreamKind> {
 protected:
  static std::unique_ptr<Stream> open(const std::string& script) {
    return make_host(host_of(GetParam()))->open({.argv = {"/bin/sh", "-c", script}});
  }
};

INSTANTIATE_TEST_SUITE_P(Streams, ProgramStreamContract,
                         testing::Values(StreamKind::process, StreamKind::openssh,
                                         StreamKind::libssh2),
                         [](const auto& kind) { return to_text(kind.param); });

TEST_P(ProgramStreamContract, TellsHowItsProgramEnded) {
  for (const int code : {0, 1, 5, 255}) {
    const auto stream = open("echo out; echo trouble >&2; exit " + std::to_string(code));
    EXPECT_EQ("out\n", read_all(*stream));
    const auto ending = stream->finish(patient);
    EXPECT_EQ(code, ending.exit_code);
    EXPECT_EQ("trouble\n", ending.error_output);
  }
}

TEST_P(ProgramStreamContract, TellsHowItsProgramEndedThatSaidNothing) {
  for (const int code : {0, 255}) {
    const auto stream = open("exit " + std::to_string(code));
    EXPECT_EQ("", read_all(*stream));
    EXPECT_EQ(code, stream->finish(patient).exit_code);
  }
}

TEST_P(ProgramStreamContract, TellsWhichSignalEndedItsProgram) {
  for (const int signal : {SIGTERM, SIGKILL}) {
    const auto stream = open("kill -" + std::to_string(signal) + " $$");
    EXPECT_EQ("", read_all(*stream));
    EXPECT_EQ(128 + signal, stream->finish(patient).exit_code);
  }
}

TEST_P(ProgramStreamContract, EndsTheInputOfItsProgramWhenItFinishes) {
  const auto stream = open("cat >/dev/null; echo done >&2; exit 3");
  stream->write("x", patient);
  const auto ending = stream->finish(patient);
  EXPECT_EQ(3, ending.exit_code);
  EXPECT_EQ("done\n", ending.error_output);
}

TEST_P(ProgramStreamContract, DropsWhatNobodyReadWhenItFinishes) {
  const auto stream = open("head -c 30000000 /dev/zero; exit 3");
  EXPECT_EQ(3, stream->finish(patient).exit_code);
}

TEST_P(ProgramStreamContract, IsNotHeldUpByMuchErrorOutput) {
  const auto stream = open("head -c 30000000 /dev/zero >&2; echo out; echo end >&2; exit 3");
  EXPECT_EQ("out\n", read_all(*stream));
  const auto ending = stream->finish(patient);
  EXPECT_EQ(3, ending.exit_code);
  EXPECT_TRUE(ending.error_output.ends_with("end\n"));
  EXPECT_LE(ending.error_output.size(), 16384U);
}

TEST_P(ProgramStreamContract, FailsAWriteToAProgramThatHasEnded) {
  const auto stream = open("exit 3");
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ("the other end is gone", what_of([&] { stream->write(noise(32U << 20U), patient); }));
  EXPECT_LT(std::chrono::steady_clock::now() - start, Milliseconds{5000});
  EXPECT_EQ(3, stream->finish(patient).exit_code);
}

TEST_P(ProgramStreamContract, GivesUpAProgramThatDoesNotEnd) {
  const auto stream = open("sleep 60");
  const auto start = std::chrono::steady_clock::now();
  EXPECT_NE(0, stream->finish(Milliseconds{200}).exit_code);
  EXPECT_LT(std::chrono::steady_clock::now() - start, Milliseconds{5000});
}

TEST_P(ProgramStreamContract, EndsAProgramThatReadsWhenTheStreamIsGone) {
  TemporaryDirectory directory;
  {
    const auto stream = open("echo $$ >" + directory / "pid" + "; echo begun; cat >/dev/null");
    EXPECT_EQ("begun\n", read_some(*stream));
  }
  const auto pid = base::trim(content_of(directory / "pid"));
  for (int i = 0; i < 400 && exists("/proc/" + pid); ++i) ::usleep(5000);
  EXPECT_FALSE(exists("/proc/" + pid));
}

// A server that asks for new keys in the middle of a write is what libssh2 alone cannot stand.
TEST(RekeyTest, NewKeysInTheMiddleOfATransferStopNothing) {
  SshServer server{{"RekeyLimit 1M"}};
  const auto stream = make_host(HostKind::libssh2, server.settings())->open({.argv = {"cat"}});
  const auto [sent, received] = echo(*stream, 64U << 20U);
  EXPECT_EQ(sent, received);
  EXPECT_EQ(0, stream->finish(patient).exit_code);
}

TEST(RekeyTest, NewKeysStopNoTransferInOneDirection) {
  SshServer server{{"RekeyLimit 1M"}};
  const auto host = make_host(HostKind::libssh2, server.settings());
  const auto input = noise(16U << 20U);
  EXPECT_EQ(std::to_string(input.size()) + "\n",
            host->run({.argv = {"wc", "-c"}, .input = input}).output);
  const auto outcome = host->run({.argv = {"head", "-c", std::to_string(input.size()), "/dev/zero"},
                                  .output_limit_bytes = 32U << 20U});
  EXPECT_EQ(input.size(), outcome.output.size());
}

}  // namespace hamn::test
