!> The same columns in pieces of several sizes, and on several threads of the host.
!> Arguments: an archive, the file of inputs, number of columns and of steps, threads inside the
!> engine, and which engine (without it: auto). Writes a file of results for each way, and prints
!> how many threads the process has had.
program decomposition
  use, intrinsic :: iso_fortran_env, only: real64
  use omp_lib, only: omp_get_dynamic, omp_get_max_active_levels, omp_get_max_threads, &
    omp_get_schedule, omp_sched_kind
  use columns_host, only: count_elements, read_domain, run_chunks_by_put, run_piece, write_domain
  use hybrid, only: closure_t
  implicit none (type, external)

  type(closure_t) :: closure
  character(len=1024) :: archive, input_file
  character(len=16) :: engine
  real(real64), allocatable :: inputs(:, :, :), results(:, :, :)
  integer :: n_column, n_step, before(5)

  call get_command_argument(1, archive)
  call get_command_argument(2, input_file)
  n_column = number(3)
  n_step = number(4)
  before = openmp_settings()
  call get_command_argument(6, engine)
  if (engine == '') engine = 'auto'
  call closure%load(trim(archive), engine=trim(engine), threads=number(5))
  if (any(openmp_settings() /= before)) error stop 'load changed the settings of OpenMP'
  allocate (inputs(count_elements(closure, 'inputs'), n_column, n_step))
  allocate (results(count_elements(closure, 'outputs'), n_column, n_step))
  call read_domain(trim(input_file), inputs)

  call in_pieces('one_piece', n_column)
  write (*, '(a, i0)') 'threads ', threads_of_process()
  call in_pieces('single_columns', 1)
  call in_pieces('sevens', 7)
  if (any(openmp_settings() /= before)) error stop 'run changed the settings of OpenMP'
  call on_threads('two_threads', 2, (n_column + 1)/2)
  call on_threads('three_threads', 3, (n_column + 2)/3)
  call on_threads('three_threads_sevens', 3, 7)
  if (closure%field_count('state') == 0) then
    results = 0.0_real64
    call run_chunks_by_put(closure, 7, inputs, results)
    call write_domain('put_sevens', results)
  end if
  if (any(openmp_settings() /= before)) error stop 'the settings of OpenMP are not what they were'

contains

  !> Pieces of `n` columns, one after another.
  subroutine in_pieces(name, n)
    character(len=*), intent(in) :: name
    integer, intent(in) :: n
    integer :: first
    results = 0.0_real64
    do first = 0, n_column - 1, n
      call run_piece(closure, first, min(n, n_column - first), inputs, results)
    end do
    call write_domain(name, results)
  end subroutine in_pieces

  !> Pieces of `n` columns, shared out among threads; the closure is one, bindings are their own.
  subroutine on_threads(name, n_thread, n)
    character(len=*), intent(in) :: name
    integer, intent(in) :: n_thread, n
    integer :: first, inside(5)
    results = 0.0_real64
    !$omp parallel do num_threads(n_thread) schedule(static, 1) default(none) &
    !$omp shared(closure, inputs, results, n, n_column) private(inside)
    do first = 0, n_column - 1, n
      inside = openmp_settings()
      call run_piece(closure, first, min(n, n_column - first), inputs, results)
      if (any(openmp_settings() /= inside)) error stop 'run changed the settings of a thread'
    end do
    !$omp end parallel do
    call write_domain(name, results)
  end subroutine on_threads

  !> Of the calling thread: threads of its next region, dynamic adjustment, levels, schedule.
  function openmp_settings() result(settings)
    integer :: settings(5)
    integer(omp_sched_kind) :: kind
    integer :: chunk
    call omp_get_schedule(kind, chunk)
    settings = [omp_get_max_threads(), merge(1, 0, omp_get_dynamic()), &
      omp_get_max_active_levels(), int(kind), chunk]
  end function openmp_settings

  integer function threads_of_process() result(n)
    character(len=200) :: line
    integer :: unit, stat
    n = 0
    open (newunit=unit, file='/proc/self/status', status='old', action='read')
    do
      read (unit, '(a)', iostat=stat) line
      if (stat /= 0) exit
      if (line(:8) == 'Threads:') read (line(9:), *) n
    end do
    close (unit)
  end function threads_of_process

  integer function number(argument)
    integer, intent(in) :: argument
    character(len=16) :: text
    call get_command_argument(argument, text)
    read (text, *) number
  end function number

end program decomposition
