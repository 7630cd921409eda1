! Processes under MPI, each of which has a share of the columns.

module climsim_ranks
  use, intrinsic :: iso_fortran_env, only: real64
  use mpi_f08, only: mpi_abort, mpi_allreduce, mpi_comm_rank, mpi_comm_size, mpi_comm_world, &
    mpi_double_precision, mpi_finalize, mpi_gather, mpi_gatherv, mpi_init, mpi_integer, mpi_max
  implicit none(type, external)
  private
  public :: abort_ranks, gather_columns, largest_of_ranks, start_ranks, stop_ranks

contains

  !> Number of this process, from 0, and of all processes.
  subroutine start_ranks(rank, n_rank)
    integer, intent(out) :: rank, n_rank
    call mpi_init()
    call mpi_comm_rank(mpi_comm_world, rank)
    call mpi_comm_size(mpi_comm_world, n_rank)
  end subroutine start_ranks

  subroutine stop_ranks()
    call mpi_finalize()
  end subroutine stop_ranks

  !> End all processes with status 1.
  subroutine abort_ranks()
    call mpi_abort(mpi_comm_world, 1)
    stop 1, quiet = .true.
  end subroutine abort_ranks

  !> On rank 0, the columns (column, feature) of all ranks, in the order of ranks.
  subroutine gather_columns(share, whole)
    real(real64), intent(in), contiguous :: share(:, :)
    real(real64), intent(inout) :: whole(:, :)
    integer, allocatable :: counts(:), starts(:)
    real(real64), allocatable :: blocks(:)
    integer :: rank, n_rank, i, n_column, first
    call mpi_comm_rank(mpi_comm_world, rank)
    call mpi_comm_size(mpi_comm_world, n_rank)
    allocate (counts(n_rank), starts(n_rank))
    call mpi_gather(size(share), 1, mpi_integer, counts, 1, mpi_integer, 0, mpi_comm_world)
    if (rank /= 0) counts = 0
    do i = 1, n_rank
      starts(i) = sum(counts(:i - 1))
    end do
    allocate (blocks(sum(counts)))
    call mpi_gatherv(share, size(share), mpi_double_precision, blocks, counts, starts, &
      mpi_double_precision, 0, mpi_comm_world)
    if (rank /= 0) return
    first = 1
    do i = 1, n_rank
      n_column = counts(i)/size(whole, 2)
      whole(first:first + n_column - 1, :) = &
        reshape(blocks(starts(i) + 1:starts(i) + counts(i)), [n_column, size(whole, 2)])
      first = first + n_column
    end do
  end subroutine gather_columns

  !> On all ranks, the largest of their values.
  real(real64) function largest_of_ranks(value)
    real(real64), intent(in) :: value
    call mpi_allreduce(value, largest_of_ranks, 1, mpi_double_precision, mpi_max, mpi_comm_world)
  end function largest_of_ranks

end module climsim_ranks
