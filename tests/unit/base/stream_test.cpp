#include "base/stream.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <thread>

#include "base/error.h"

namespace hamn::base {

namespace {

constexpr Milliseconds soon{5000};

std::string read_some(Stream& stream, Milliseconds limit = soon) {
  std::array<char, 1000> buffer{};
  return {buffer.data(), stream.read(buffer.data(), buffer.size(), limit)};
}

std::string what_of(const std::function<void()>& act) {
  try {
    act();
  } catch (const Error& error) {
    EXPECT_FALSE(error.hint().empty());
    return error.what();
  }
  return "";
}

/// A stream over two pipes, as standard_stream() has it, with the other ends.
struct Pipes {
  Pipes() {
    int in[2];
    int out[2];
    EXPECT_EQ(0, ::pipe2(in, O_CLOEXEC));
    EXPECT_EQ(0, ::pipe2(out, O_CLOEXEC));
    stream = std::make_unique<FdStream>(Fd{in[0]}, Fd{out[1]});
    to_it = Fd{in[1]};
    from_it = Fd{out[0]};
  }
  std::unique_ptr<FdStream> stream;
  Fd to_it;
  Fd from_it;
};

}  // namespace

// What every stream does is tested in tests/contract/stream_contract.cpp; here is what only a
// stream over descriptors does.

TEST(StreamTest, CarriesBytesInBothDirections) {
  auto [left, right] = make_stream_pair();
  left->write("ping", soon);
  EXPECT_EQ("ping", read_some(*right));
  right->write("pong", soon);
  EXPECT_EQ("pong", read_some(*left));
}

TEST(StreamTest, WaitsForNothingLongerThanItsLimit) {
  auto [left, right] = make_stream_pair();
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ("the other end does not answer",
            what_of([&, &stream = left] { (void)read_some(*stream, Milliseconds{20}); }));
  const std::string much(4'000'000, 'x');
  EXPECT_EQ("the other end does not answer",
            what_of([&, &stream = left] { stream->write(much, Milliseconds{20}); }));
  EXPECT_LT(std::chrono::steady_clock::now() - start, Milliseconds{2000});
}

TEST(StreamTest, SeesTheEndWhenTheOtherSideClosesItsHalf) {
  auto [left, right] = make_stream_pair();
  left->write("last", soon);
  left->close_write();
  EXPECT_EQ("last", read_some(*right));
  EXPECT_EQ("", read_some(*right));
  right->write("answer", soon);
  EXPECT_EQ("answer", read_some(*left)) << "the other half stays open";
}

TEST(StreamTest, FailsAWriteToSomebodyWhoIsGoneWithoutASignal) {
  ::signal(SIGPIPE, SIG_DFL);
  auto [left, right] = make_stream_pair();
  right.reset();
  EXPECT_EQ("the other end is gone", what_of([&, &stream = left] { stream->write("x", soon); }));
  EXPECT_EQ("", read_some(*left));
}

TEST(StreamTest, CloseInAnotherThreadEndsAWaitingReadAndAWaitingWrite) {
  auto [left, right] = make_stream_pair();
  std::string read_error;
  std::string write_error;
  std::thread reader{
      [&, &stream = left] { read_error = what_of([&] { (void)read_some(*stream); }); }};
  std::thread writer{[&, &stream = left] {
    write_error = what_of([&] { stream->write(std::string(4'000'000, 'x'), soon); });
  }};
  std::this_thread::sleep_for(Milliseconds{20});
  const auto start = std::chrono::steady_clock::now();
  left->close();
  reader.join();
  writer.join();
  EXPECT_LT(std::chrono::steady_clock::now() - start, Milliseconds{1000});
  EXPECT_EQ("the stream was closed", read_error);
  EXPECT_EQ("the stream was closed", write_error);
  EXPECT_EQ("the stream was closed", what_of([&, &stream = left] { (void)read_some(*stream); }));
}

TEST(StreamTest, CloseEndsAWaitOnAPipeToo) {
  Pipes pipes;
  std::string error;
  std::thread reader{[&] { error = what_of([&] { (void)read_some(*pipes.stream); }); }};
  std::this_thread::sleep_for(Milliseconds{20});
  const auto start = std::chrono::steady_clock::now();
  pipes.stream->close();
  reader.join();
  EXPECT_LT(std::chrono::steady_clock::now() - start, Milliseconds{1000});
  EXPECT_EQ("the stream was closed", error);
  char byte = 0;
  EXPECT_EQ(0, ::read(pipes.from_it.get(), &byte, 1)) << "the other end sees the end";
}

TEST(StreamTest, EndsOneDirectionOfAPairOfPipes) {
  Pipes pipes;
  pipes.stream->write("last", soon);
  pipes.stream->close_write();
  std::array<char, 10> buffer{};
  EXPECT_EQ(4, ::read(pipes.from_it.get(), buffer.data(), buffer.size()));
  EXPECT_EQ(0, ::read(pipes.from_it.get(), buffer.data(), buffer.size()));
  EXPECT_EQ(5, ::write(pipes.to_it.get(), "still", 5));
  EXPECT_EQ("still", read_some(*pipes.stream));
}

TEST(StreamTest, HasNoProgramToWaitFor) {
  auto [left, right] = make_stream_pair();
  const auto ending = left->finish(soon);
  EXPECT_EQ(0, ending.exit_code);
  EXPECT_EQ("", ending.error_output);
  EXPECT_EQ("", read_some(*right));
}

TEST(StreamTest, IsTheStandardInputAndOutputOfAProcess) {
  int in[2];
  int out[2];
  ASSERT_EQ(0, ::pipe(in));
  ASSERT_EQ(0, ::pipe(out));
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(in[0], 0);
    ::dup2(out[1], 1);
    const auto stream = standard_stream();
    stream->write("got " + read_some(*stream), soon);
    ::_exit(0);
  }
  EXPECT_EQ(4, ::write(in[1], "this", 4));
  std::array<char, 20> buffer{};
  EXPECT_EQ(8, ::read(out[0], buffer.data(), buffer.size()));
  EXPECT_STREQ("got this", buffer.data());
  ::waitpid(child, nullptr, 0);
  for (const int fd : {in[0], in[1], out[0], out[1]}) ::close(fd);
}

TEST(FdTest, ClosesItsDescriptorOnce) {
  int ends[2];
  ASSERT_EQ(0, ::pipe(ends));
  const auto is_open = [](int fd) { return ::fcntl(fd, F_GETFD) >= 0; };
  {
    Fd one{ends[0]};
    Fd two = std::move(one);
    EXPECT_FALSE(one.is_open());  // NOLINT(bugprone-use-after-move): this is the question
    EXPECT_EQ(ends[0], two.get());
    two = Fd{ends[1]};
    EXPECT_FALSE(is_open(ends[0]));
    EXPECT_TRUE(is_open(ends[1]));
    two.reset();
    EXPECT_FALSE(is_open(ends[1]));
    EXPECT_FALSE(two.is_open());
  }
  EXPECT_FALSE(Fd{}.is_open());
}

}  // namespace hamn::base
