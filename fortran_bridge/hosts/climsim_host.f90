!> Column host for ClimSim files: reads mli files, runs a closure, writes mlo-shaped files.
!>
!>     hybrid-climsim-host SETTINGS_FILE
!>     mpirun -n 4 hybrid-climsim-mpi-host SETTINGS_FILE
!>
!> SETTINGS_FILE holds namelist `settings`, see `settings_t`. The closure reads any of the fields of
!> `climsim_fields`, which stand in a single file or are derived from it. The arrays are bound once
!> and reused for every file of the same size. Under MPI each rank has a share of the columns, and
!> rank 0 writes. A closure's memory goes on from a file to one that follows it by one time step and
!> starts at zero elsewhere; the number of a model step, which keys random numbers, follows from
!> the file's date. Three lines at the end say how many columns were evaluated, in how many
!> seconds, and the median over files of columns per second: of the slowest rank, files left out.
program climsim_host
  use, intrinsic :: iso_fortran_env, only: int64, output_unit, real64
  use climsim_columns, only: columns_t
  use climsim_files, only: mli_t
  use climsim_inputs, only: read_inputs
  use climsim_output, only: write_mlo
  use climsim_ranks, only: gather_columns, largest_of_ranks, start_ranks, stop_ranks
  use climsim_settings, only: read_settings, settings_t, stop_with
  implicit none(type, external)

  type(settings_t) :: settings
  type(columns_t), target :: columns
  type(mli_t) :: file
  real(real64), allocatable :: whole(:, :), seconds(:), speed(:)
  character(len=1024) :: errmsg
  integer(int64) :: n_column
  integer :: stat, rank, n_rank, i

  call start_ranks(rank, n_rank)
  call read_settings(settings)
  columns%seed = settings%seed
  columns%reproducible = settings%reproducible
  call columns%set_engine(trim(settings%engine))
  call columns%load(trim(settings%archive), stat, errmsg)
  if (stat /= 0) call stop_with(errmsg)
  allocate (whole(0, 0), seconds(size(settings%inputs)), speed(size(settings%inputs)))
  n_column = 0
  do i = 1, size(settings%inputs)
    call run_file(i)
    n_column = n_column + file%n_column
    speed(i) = file%n_column/max(seconds(i), tiny(1.0_real64))
    if (rank == 0) then
      write (output_unit, '(a, f7.5)') 'progress ', real(i, real64)/size(settings%inputs)
      flush (output_unit)
    end if
  end do
  if (rank == 0) then
    write (output_unit, '(a, i0)') 'columns ', n_column
    write (output_unit, '(a, es14.7)') 'seconds ', sum(seconds)
    write (output_unit, '(a, es14.7)') 'columns_per_second ', median(speed)
  end if
  call columns%free()
  call stop_ranks()

contains

  !> Read, evaluate and write the columns of a file.
  subroutine run_file(number)
    integer, intent(in) :: number
    integer(int64) :: began, ended, rate
    call file%open(trim(settings%inputs(number)))
    call share_columns()
    call read_inputs(file, columns)
    call continue_memory()
    call system_clock(began, rate)
    call columns%advance(model_step(), stat, errmsg)
    call system_clock(ended)
    if (stat /= 0) call stop_with(trim(file%path)//': '//errmsg)
    seconds(number) = largest_of_ranks(real(ended - began, real64)/real(rate, real64))
    call gather_columns(columns%output, whole)
    if (rank == 0) then
      call write_mlo(trim(settings%outputs(number)), file, settings, columns, whole)
    end if
    call file%close()
  end subroutine run_file

  !> Give this rank its columns of the file, as many as the others or one more.
  subroutine share_columns()
    integer, save :: bound_column = -1, bound_level = -1
    integer :: n_share
    n_share = file%n_column/n_rank
    file%first_column = 1 + rank*n_share + min(rank, mod(file%n_column, n_rank))
    if (rank < mod(file%n_column, n_rank)) n_share = n_share + 1
    if (file%n_column == bound_column .and. file%n_level == bound_level) return
    bound_column = file%n_column
    bound_level = file%n_level
    columns%first_column = file%first_column
    call columns%resize(n_share, file%n_level, stat, errmsg)
    if (stat /= 0) call stop_with(trim(file%path)//': '//errmsg)
    deallocate (whole)
    allocate (whole(merge(file%n_column, 0, rank == 0), size(columns%output, 2)))
  end subroutine share_columns

  subroutine continue_memory()
    integer(int64), save :: before = 0
    if (.not. columns%has_memory()) return
    if (file%seconds() - before /= nint(settings%timestep, int64)) then
      call columns%forget(stat, errmsg)
      if (stat /= 0) call stop_with(errmsg)
    end if
    before = file%seconds()
  end subroutine continue_memory

  integer function model_step()
    integer(int64) :: step
    step = nint(real(file%seconds(), real64)/settings%timestep, int64)
    model_step = int(modulo(step, int(huge(1), int64)))
  end function model_step

  !> Middle value, or the mean of both.
  pure real(real64) function median(values)
    real(real64), intent(in) :: values(:)
    real(real64) :: sorted(size(values)), value
    integer :: i, j
    sorted = values
    do i = 2, size(sorted)
      value = sorted(i)
      do j = i - 1, 1, -1
        if (sorted(j) <= value) exit
        sorted(j + 1) = sorted(j)
      end do
      sorted(j + 1) = value
    end do
    median = 0.5_real64*(sorted((size(sorted) + 1)/2) + sorted(size(sorted)/2 + 1))
  end function median

end program climsim_host
