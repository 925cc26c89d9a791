#pragma once
// What the checks found. A report spoils the device: no later work is executed, and each call returns an
// error whose text is the first report.
#include <cstdint>
#include <string>
#include <vector>

namespace simt {

struct Report {
  std::string kind;        // "shared race", the same for all of one kind
  std::string kernel;      // that the launch names
  std::string text;        // kernel, block, thread, address and what happened
  bool isAddress = false;  // an access that a GPU refuses, too
};

// Whether a report of the kind was made for the same place in the code (`place` is an instruction or a line).
bool isReported(const std::string& kernel, const char* kind, uint64_t place);
void addReport(Report report);

bool hasReports();
std::vector<Report> reports();
// The text of the first one, which stays where it is; empty when there is none.
const char* lastReport();
bool isAddressError();
// The device works again. For tests.
void clearReports();

}  // namespace simt
