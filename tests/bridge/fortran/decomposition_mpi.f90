!> The same columns on several ranks: one reads the archive, all load it from its bytes.
!> Arguments: an archive, the file of inputs, number of columns and of steps, the file of results,
!> and which engine.
program decomposition_mpi
  use, intrinsic :: iso_fortran_env, only: int8, real64
  use mpi_f08, only: mpi_bcast, mpi_comm_rank, mpi_comm_size, mpi_comm_world, &
    mpi_double_precision, mpi_finalize, mpi_gatherv, mpi_init, mpi_integer, mpi_integer1
  use columns_host, only: count_elements, read_domain, run_piece, write_domain
  use hybrid, only: closure_t, read_bytes
  implicit none (type, external)

  type(closure_t) :: closure
  character(len=1024) :: archive, input_file, output_file
  character(len=16) :: engine
  integer(int8), allocatable :: bytes(:)
  real(real64), allocatable :: inputs(:, :, :), results(:, :, :), mine(:, :)
  integer, allocatable :: edge(:)
  integer :: n_column, n_step, n_byte, n_result, n_rank, rank, i, step

  call mpi_init()
  call mpi_comm_rank(mpi_comm_world, rank)
  call mpi_comm_size(mpi_comm_world, n_rank)
  call get_command_argument(1, archive)
  call get_command_argument(2, input_file)
  n_column = number(3)
  n_step = number(4)
  call get_command_argument(5, output_file)
  call get_command_argument(6, engine)

  if (rank == 0) then
    call read_bytes(trim(archive), bytes)
    n_byte = size(bytes)
  end if
  call mpi_bcast(n_byte, 1, mpi_integer, 0, mpi_comm_world)
  if (rank > 0) allocate (bytes(n_byte))
  call mpi_bcast(bytes, n_byte, mpi_integer1, 0, mpi_comm_world)
  call closure%load_bytes(bytes, label='broadcast archive', engine=trim(engine))
  deallocate (bytes)

  n_result = count_elements(closure, 'outputs')
  allocate (inputs(count_elements(closure, 'inputs'), n_column, n_step))
  allocate (results(n_result, n_column, n_step), source=0.0_real64)
  call read_domain(trim(input_file), inputs)
  ! Uneven on purpose: no piece is a multiple of any block.
  edge = [0, (n_column*i/n_rank + 5, i=1, n_rank - 1), n_column]
  call run_piece(closure, edge(rank + 1), edge(rank + 2) - edge(rank + 1), inputs, results)
  do step = 1, n_step
    mine = results(:, edge(rank + 1) + 1:edge(rank + 2), step)
    call mpi_gatherv(mine, size(mine), mpi_double_precision, results(:, :, step), &
      n_result*(edge(2:) - edge(:n_rank)), n_result*edge(:n_rank), mpi_double_precision, 0, &
      mpi_comm_world)
  end do
  if (rank == 0) call write_domain(trim(output_file), results)
  call mpi_finalize()

contains

  integer function number(argument)
    integer, intent(in) :: argument
    character(len=16) :: text
    call get_command_argument(argument, text)
    read (text, *) number
  end function number

end program decomposition_mpi
