#include "device.hpp"

#include <charconv>
#include <cstdlib>
#include <cstring>

#include "error.hpp"

namespace hybrid {

int local_rank() {
  // Open MPI, Intel MPI and MPICH (Hydra), MVAPICH, MPICH (older), PALS, Slurm.
  for (const char *name :
       {"OMPI_COMM_WORLD_LOCAL_RANK", "MPI_LOCALRANKID", "MV2_COMM_WORLD_LOCAL_RANK",
        "PMI_LOCAL_RANK", "PALS_LOCAL_RANKID", "SLURM_LOCALID"}) {
    const char *text = std::getenv(name);
    if (!text || !*text) continue;
    int rank = -1;
    const char *end = text + std::strlen(text);
    const auto result = std::from_chars(text, end, rank);
    if (result.ec != std::errc{} || result.ptr != end || rank < 0)
      throw Error(HYBRID_ERROR_ARGUMENT, std::string(name) + ": expected the rank on the node, " +
                                             "a number from 0 up, got '" + text +
                                             "'; unset it or set it right");
    return rank;
  }
  return 0;
}

std::string local_device(const std::string &kind, int count) {
  if (count < 0)
    throw Error(HYBRID_ERROR_ARGUMENT,
                "device: expected a number of devices, got " + std::to_string(count));
  if (count == 0) return "cpu";
  return kind + ":" + std::to_string(local_rank() % count);
}

}  // namespace hybrid
