#include <Poco/Exception.h>
#include <Poco/Net/DatagramSocket.h>
#include <Poco/Net/NetException.h>
#include <Poco/Net/SocketAddress.h>
#include <Poco/Net/StreamSocket.h>
#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <resolv.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>

#include "base/interrupt.h"
#include "takeover/arp.h"
#include "takeover/evidence.h"

namespace hamn::takeover {

namespace {

Poco::Timespan to_poco(base::Milliseconds limit) {
  return Poco::Timespan{limit.count() * 1000};
}

/// One question for an A record; its id is the name's index, so answers need no search.
std::vector<unsigned char> question(const std::string& name, std::uint16_t id) {
  std::vector<unsigned char> packet(NS_PACKETSZ);
  struct __res_state state {};
  ::res_ninit(&state);
  const int size = ::res_nmkquery(&state, ns_o_query, name.c_str(), ns_c_in, ns_t_a, nullptr, 0,
                                  nullptr, packet.data(), static_cast<int>(packet.size()));
  ::res_nclose(&state);
  packet.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  if (packet.size() >= 2) ns_put16(id, packet.data());
  return packet;
}

/// Id and first address of an answer; an empty address if it holds none.
std::pair<std::uint16_t, std::string> read_answer(const unsigned char* packet, int size) {
  ns_msg message{};
  if (::ns_initparse(packet, size, &message) < 0) return {0, ""};
  const auto id = static_cast<std::uint16_t>(ns_msg_id(message));
  for (int i = 0; i < ns_msg_count(message, ns_s_an); ++i) {
    ns_rr record{};
    if (::ns_parserr(&message, ns_s_an, i, &record) < 0) break;
    if (ns_rr_type(record) != ns_t_a || ns_rr_rdlen(record) != 4) continue;
    std::array<char, INET_ADDRSTRLEN> text{};
    ::inet_ntop(AF_INET, ns_rr_rdata(record), text.data(), text.size());
    return {id, text.data()};
  }
  return {id, ""};
}

class DnsRound {
 public:
  DnsRound(const std::string& server, const std::vector<std::string>& names) : names_(names) {
    socket_.connect(Poco::Net::SocketAddress{server, static_cast<Poco::UInt16>(53)});
  }

  std::map<std::string, std::string> run(base::Milliseconds limit) {
    const auto end = std::chrono::steady_clock::now() + limit;
    // Windows, since a server's socket buffer holds a few hundred questions only.
    constexpr std::size_t window = 100;
    for (std::size_t next = 0; next < names_.size(); next += window) {
      const auto last = std::min(names_.size(), next + window);
      for (std::size_t i = next; i < last; ++i) ask(i);
      collect(end, last - next);
    }
    return std::move(found_);
  }

 private:
  void ask(std::size_t index) {
    const auto packet = question(names_[index], static_cast<std::uint16_t>(index));
    if (!packet.empty()) socket_.sendBytes(packet.data(), static_cast<int>(packet.size()));
  }

  void collect(std::chrono::steady_clock::time_point end, std::size_t expected) {
    std::array<unsigned char, 4096> packet{};
    for (std::size_t got = 0; got < expected;) {
      const auto rest =
          std::chrono::ceil<base::Milliseconds>(end - std::chrono::steady_clock::now());
      if (rest.count() <= 0 || base::interrupted()) return;
      if (!socket_.poll(to_poco(std::min(rest, base::Milliseconds{500})),
                        Poco::Net::Socket::SELECT_READ)) {
        return;
      }
      const int size = socket_.receiveBytes(packet.data(), static_cast<int>(packet.size()));
      const auto [id, address] = read_answer(packet.data(), size);
      ++got;
      if (!address.empty() && id < names_.size()) found_[names_[id]] = address;
    }
  }

  const std::vector<std::string>& names_;
  Poco::Net::DatagramSocket socket_;
  std::map<std::string, std::string> found_;
};

}  // namespace

std::optional<std::string> NetworkProbes::arp(const std::string& interface,
                                              const std::string& address,
                                              base::Milliseconds limit) {
  return arp_probe(interface, address, limit);
}

bool NetworkProbes::has_link(const std::string& interface) {
  return has_carrier(interface);
}

PortAnswer NetworkProbes::port(const std::string& address, int number, base::Milliseconds limit,
                               bool speaks_first) {
  Poco::Net::StreamSocket socket;
  try {
    socket.connect(Poco::Net::SocketAddress{address, static_cast<Poco::UInt16>(number)},
                   to_poco(limit));
    if (!speaks_first) return PortAnswer::connected;
    if (!socket.poll(to_poco(limit), Poco::Net::Socket::SELECT_READ)) return PortAnswer::connected;
    char byte = 0;
    return socket.receiveBytes(&byte, 1) > 0 ? PortAnswer::spoke : PortAnswer::connected;
  } catch (const Poco::Net::ConnectionRefusedException&) {
    return PortAnswer::refused;
  } catch (const Poco::Net::ConnectionResetException&) {
    return PortAnswer::connected;
  } catch (const Poco::TimeoutException&) {
    return PortAnswer::no_answer;
  } catch (const Poco::Exception& error) {
    // EHOSTUNREACH is what the kernel says after its ARP questions were not answered.
    const bool no_way = error.code() == EHOSTUNREACH || error.code() == ENETUNREACH;
    return no_way ? PortAnswer::unreachable : PortAnswer::no_answer;
  }
}

std::map<std::string, std::string> NetworkProbes::dns(const std::string& server,
                                                      const std::vector<std::string>& names,
                                                      base::Milliseconds limit) {
  try {
    return DnsRound{server, names}.run(limit);
  } catch (const Poco::Exception&) {
    return {};  // nobody listens there: no name has an answer
  }
}

}  // namespace hamn::takeover
