#include "takeover/steps.h"

#include "takeover/database.h"
#include "takeover/deployment.h"
#include "takeover/dhcp.h"
#include "takeover/fence.h"
#include "takeover/freeze.h"
#include "takeover/gates.h"
#include "takeover/identity.h"
#include "takeover/name_services.h"
#include "takeover/services.h"

namespace hamn::takeover {

Runbook::Parts make_failover(const Context& context) {
  Runbook::Parts parts;
  const auto gate = [&](std::unique_ptr<Gate> each) { parts.gates.push_back(std::move(each)); };
  const auto step = [&](std::unique_ptr<Step> each) { parts.steps.push_back(std::move(each)); };

  // All of these must hold before anything changes.
  gate(std::make_unique<StandbyGate>(context));
  gate(std::make_unique<DatabaseAgeGate>(context));
  for (const auto& [name, set] : context.site.file_sets) {
    gate(std::make_unique<FileSetAgeGate>(context, set));
  }
  gate(std::make_unique<PrimaryDownGate>(context));
  gate(std::make_unique<AddressFreeGate>(context));

  // Nothing changes under our hands, and the other one is off.
  step(std::make_unique<FreezeReplication>(context));
  step(std::make_unique<FencePrimary>(context));
  step(std::make_unique<CheckAddressFree>(context));

  // The database, then the identity, in the order of the xCAT document.
  step(std::make_unique<StopXcatd>(context));
  step(std::make_unique<PromoteDatabase>(context));
  step(std::make_unique<TakeAddress>(context));
  step(std::make_unique<AnnounceAddress>(context));
  step(std::make_unique<TakeHostname>(context));
  step(std::make_unique<RepointDatabase>(context));

  // The services. StartXcatd is the point of no return.
  step(std::make_unique<StartXcatd>(context));
  step(std::make_unique<MakeHosts>(context));
  step(std::make_unique<MakeDns>(context));
  step(std::make_unique<MakeDhcp>(context));
  step(std::make_unique<MakeDhcpNodes>(context));
  step(std::make_unique<Nodeset>(context));
  step(std::make_unique<Consoles>(context));

  step(std::make_unique<StaleIdentity>(context));
  step(std::make_unique<RecordRole>(context));
  return parts;
}

}  // namespace hamn::takeover
