! One process: the interface of `climsim_ranks_mpi.f90` where there is no MPI.

module climsim_ranks
  use, intrinsic :: iso_fortran_env, only: real64
  implicit none(type, external)
  private
  public :: abort_ranks, gather_columns, largest_of_ranks, start_ranks, stop_ranks

contains

  !> Number of this process, from 0, and of all processes.
  subroutine start_ranks(rank, n_rank)
    integer, intent(out) :: rank, n_rank
    rank = 0
    n_rank = 1
  end subroutine start_ranks

  subroutine stop_ranks()
  end subroutine stop_ranks

  !> End all processes with status 1.
  subroutine abort_ranks()
    stop 1, quiet = .true.
  end subroutine abort_ranks

  !> On rank 0, the columns (column, feature) of all ranks, in the order of ranks.
  subroutine gather_columns(share, whole)
    real(real64), intent(in), contiguous :: share(:, :)
    real(real64), intent(inout) :: whole(:, :)
    whole = share
  end subroutine gather_columns

  !> On all ranks, the largest of their values.
  real(real64) function largest_of_ranks(value)
    real(real64), intent(in) :: value
    largest_of_ranks = value
  end function largest_of_ranks

end module climsim_ranks
