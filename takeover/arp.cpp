#include "takeover/arp.h"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <thread>

#include "base/disk.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/interrupt.h"
#include "base/text.h"

namespace hamn::takeover {

namespace {

using Mac = std::array<unsigned char, ETH_ALEN>;
constexpr Mac everybody{0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
constexpr Mac nobody{};
constexpr int probes = 3;

/// The packet of RFC 826 for Ethernet and IPv4.
struct ArpPacket {
  std::uint16_t hardware = htons(ARPHRD_ETHER);
  std::uint16_t protocol = htons(ETHERTYPE_IP);
  std::uint8_t hardware_size = ETH_ALEN;
  std::uint8_t protocol_size = 4;
  std::uint16_t operation = 0;
  Mac sender_mac{};
  std::array<unsigned char, 4> sender_address{};
  Mac target_mac{};
  std::array<unsigned char, 4> target_address{};
};
static_assert(sizeof(ArpPacket) == 28);

std::string to_text(const Mac& mac) {
  std::array<char, 18> text{};
  (void)std::snprintf(text.data(), text.size(), "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1],
                      mac[2], mac[3], mac[4], mac[5]);
  return text.data();
}

std::array<unsigned char, 4> parse_address(const std::string& address) {
  std::array<unsigned char, 4> bytes{};
  if (::inet_pton(AF_INET, address.c_str(), bytes.data()) != 1) {
    throw base::Error{{.what = "cannot use ARP for " + base::printable(address),
                       .detail = "it is not an IPv4 address",
                       .hint = "give the service address as an IPv4 address",
                       .code = base::Exit::usage}};
  }
  return bytes;
}

/// A packet socket on one interface.
class ArpSocket {
 public:
  explicit ArpSocket(const std::string& interface)
      : index_(static_cast<int>(::if_nametoindex(interface.c_str()))),
        socket_(::socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, htons(ETH_P_ARP))) {
    if (index_ == 0) fail("find interface " + interface, ENODEV);
    if (!socket_.is_open()) fail("open a packet socket", errno);
    sockaddr_ll own{};
    own.sll_family = AF_PACKET;
    own.sll_protocol = htons(ETH_P_ARP);
    own.sll_ifindex = index_;
    if (::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&own), sizeof own) < 0) {
      fail("listen on " + interface, errno);
    }
    ifreq request{};
    (void)std::snprintf(static_cast<char*>(request.ifr_name), IFNAMSIZ, "%s", interface.c_str());
    if (::ioctl(socket_.get(), SIOCGIFHWADDR, &request) < 0) fail("read its MAC", errno);
    std::memcpy(mac_.data(), static_cast<const char*>(request.ifr_hwaddr.sa_data), mac_.size());
  }

  [[nodiscard]] const Mac& mac() const { return mac_; }

  void send(const ArpPacket& packet) {
    sockaddr_ll to{};
    to.sll_family = AF_PACKET;
    to.sll_protocol = htons(ETH_P_ARP);
    to.sll_ifindex = index_;
    to.sll_halen = ETH_ALEN;
    std::memcpy(static_cast<unsigned char*>(to.sll_addr), everybody.data(), everybody.size());
    if (::sendto(socket_.get(), &packet, sizeof packet, 0, reinterpret_cast<const sockaddr*>(&to),
                 sizeof to) < 0) {
      fail("send", errno);
    }
  }

  /// A packet that came within `limit`, or nothing.
  std::optional<ArpPacket> receive(base::Milliseconds limit) {
    pollfd item{.fd = socket_.get(), .events = POLLIN, .revents = 0};
    if (::poll(&item, 1, static_cast<int>(limit.count())) <= 0) return std::nullopt;
    ArpPacket packet;
    const auto got = ::recv(socket_.get(), &packet, sizeof packet, MSG_DONTWAIT);
    if (got < static_cast<ssize_t>(sizeof packet)) return std::nullopt;
    return packet;
  }

 private:
  [[noreturn]] static void fail(const std::string& verb, int error) {
    throw base::system_error("cannot use ARP: cannot " + verb, error,
                             "run as root; check [host.*] interface in /etc/hamn/hamn.toml");
  }

  int index_;
  base::Fd socket_;
  Mac mac_{};
};

}  // namespace

std::optional<std::string> arp_probe(const std::string& interface, const std::string& address,
                                     base::Milliseconds limit) {
  ArpSocket socket{interface};
  ArpPacket probe;
  probe.operation = htons(ARPOP_REQUEST);
  probe.sender_mac = socket.mac();
  probe.target_mac = nobody;
  probe.target_address = parse_address(address);
  const auto start = std::chrono::steady_clock::now();
  const auto end = start + limit;
  int sent = 0;
  for (auto now = start; now < end; now = std::chrono::steady_clock::now()) {
    base::stop_if_interrupted();
    if (sent < probes && now >= start + sent * limit / probes) {
      socket.send(probe);
      ++sent;
    }
    const auto next = std::min(end, start + sent * limit / probes);
    const auto rest = std::chrono::ceil<base::Milliseconds>((sent < probes ? next : end) - now);
    const auto packet = socket.receive(std::clamp(rest, base::Milliseconds{1}, limit));
    if (packet && packet->sender_address == probe.target_address &&
        packet->sender_mac != socket.mac()) {
      return to_text(packet->sender_mac);
    }
  }
  return std::nullopt;
}

void arp_announce(const std::string& interface, const std::string& address, int rounds,
                  base::Milliseconds pause) {
  ArpSocket socket{interface};
  ArpPacket packet;
  packet.sender_mac = socket.mac();
  packet.sender_address = parse_address(address);
  packet.target_address = packet.sender_address;
  for (int round = 0; round < rounds; ++round) {
    if (round > 0) std::this_thread::sleep_for(pause);
    packet.operation = htons(ARPOP_REQUEST);
    packet.target_mac = nobody;
    socket.send(packet);
    packet.operation = htons(ARPOP_REPLY);
    packet.target_mac = everybody;
    socket.send(packet);
  }
}

bool has_carrier(const std::string& interface) {
  if (interface.find('/') != std::string::npos) return false;
  try {
    const auto carrier = base::read_file("/sys/class/net/" + interface + "/carrier");
    return carrier && base::trim(*carrier) == "1";
  } catch (const base::DiskError&) {
    return false;  // reading it fails with EINVAL while the interface is down
  }
}

}  // namespace hamn::takeover
