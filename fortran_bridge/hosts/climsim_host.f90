!> Column host for ClimSim files: reads mli files, runs a closure, writes mlo-shaped files.
!>
!>     climsim_host SETTINGS_FILE
!>
!> Namelist `settings`:
!>   archive    closure to load: reads state_t, state_q0001, state_ps, pbuf_solin, pbuf_lhflx and
!>              pbuf_shflx; writes ptend_t, ptend_q0001 and the eight cam_out_ scalars
!>   file_list  text file with two lines a pair: the mli file to read, the mlo file to write
!>   timestep   step over which the tendencies act [s]; ClimSim's is 1200
!>
!> A file's `(lev, ncol)` in netCDF order is `(ncol, lev)` here; index 1 of `lev` is the model
!> top. The arrays are bound once and reused for every file of the same size.
module climsim_files
  use, intrinsic :: iso_fortran_env, only: error_unit, real64
  use climsim_columns, only: columns_t
  use climsim_fields, only: n_flux, n_scalar, name_length, scalar_units
  use netcdf, only: nf90_64bit_data, nf90_clobber, nf90_close, nf90_copy_att, &
    nf90_create, nf90_def_dim, nf90_def_var, nf90_double, nf90_enddef, nf90_get_var, nf90_global, &
    nf90_inq_dimid, nf90_inq_varid, nf90_inquire_dimension, nf90_inquire_variable, nf90_int, &
    nf90_noerr, nf90_nowrite, nf90_open, nf90_put_att, nf90_put_var, nf90_strerror
  implicit none(type, external)
  private

  integer, parameter :: n_passive = 4

  !> Scalar inputs, in the order of the closure's fields.
  character(len=name_length), parameter :: flux_variable(n_flux) = &
    [character(len=name_length) :: 'pbuf_SOLIN', 'pbuf_LHFLX', 'pbuf_SHFLX']

  !> Scalar outputs, in the order of an mlo file.
  character(len=name_length), parameter :: scalar_variable(n_scalar) = &
    [character(len=name_length) :: 'cam_out_FLWDS', 'cam_out_NETSW', 'cam_out_PRECC', &
    'cam_out_PRECSC', 'cam_out_SOLL', 'cam_out_SOLLD', 'cam_out_SOLS', 'cam_out_SOLSD']

  !> Profiles that the closure does not predict; the mlo file repeats the mli values.
  character(len=name_length), parameter :: passive_variable(n_passive) = &
    [character(len=name_length) :: 'state_q0002', 'state_q0003', 'state_u', 'state_v']
  character(len=7), parameter :: passive_units(n_passive) = &
    [character(len=7) :: 'kg kg-1', 'kg kg-1', 'm s-1', 'm s-1']

  public :: read_mli, read_sizes, stop_with, write_mlo

contains

  !> End the program with a message on stderr and exit status 1.
  subroutine stop_with(message)
    character(len=*), intent(in) :: message
    write (error_unit, '(2a)') 'climsim_host: ', trim(message)
    stop 1, quiet = .true.
  end subroutine stop_with

  subroutine check(status, what)
    integer, intent(in) :: status
    character(len=*), intent(in) :: what
    if (status /= nf90_noerr) call stop_with(trim(what)//': '//trim(nf90_strerror(status)))
  end subroutine check

  !> Sizes of the dimensions ncol and lev of a ClimSim file.
  subroutine read_sizes(path, n_column, n_level)
    character(len=*), intent(in) :: path
    integer, intent(out) :: n_column, n_level
    integer :: file
    call check(nf90_open(path, nf90_nowrite, file), path)
    n_column = size_of(file, 'ncol', path)
    n_level = size_of(file, 'lev', path)
    call check(nf90_close(file), path)
  end subroutine read_sizes

  integer function size_of(file, name, path)
    integer, intent(in) :: file
    character(len=*), intent(in) :: name, path
    integer :: dimension
    call check(nf90_inq_dimid(file, name, dimension), path//', dimension '//name)
    call check(nf90_inquire_dimension(file, dimension, len=size_of), path//', dimension '//name)
  end function size_of

  !> Read the closure's inputs into arrays that are already allocated.
  subroutine read_mli(path, state)
    character(len=*), intent(in) :: path
    type(columns_t), intent(inout) :: state
    integer :: file, i
    call check(nf90_open(path, nf90_nowrite, file), path)
    call read_profile(file, path, 'state_t', state%t)
    call read_profile(file, path, 'state_q0001', state%q0001)
    call read_scalar(file, path, 'state_ps', state%ps)
    do i = 1, n_flux
      call read_scalar(file, path, trim(flux_variable(i)), state%flux(:, i))
    end do
    call check(nf90_close(file), path)
  end subroutine read_mli

  subroutine read_profile(file, path, name, values)
    integer, intent(in) :: file
    character(len=*), intent(in) :: path, name
    real(real64), intent(out) :: values(:, :)
    integer :: variable
    variable = find(file, path, name, ['ncol', 'lev '])
    call check(nf90_get_var(file, variable, values), path//', '//name)
  end subroutine read_profile

  subroutine read_scalar(file, path, name, values)
    integer, intent(in) :: file
    character(len=*), intent(in) :: path, name
    real(real64), intent(out) :: values(:)
    integer :: variable
    variable = find(file, path, name, ['ncol'])
    call check(nf90_get_var(file, variable, values), path//', '//name)
  end subroutine read_scalar

  !> Variable id, after a check of its dimensions: netCDF would fill a transposed array as readily.
  integer function find(file, path, name, dims)
    integer, intent(in) :: file
    character(len=*), intent(in) :: path, name, dims(:)
    integer :: i, rank, expected, found(8)
    call check(nf90_inq_varid(file, name, find), path//', variable '//name)
    call check(nf90_inquire_variable(file, find, ndims=rank), path//', '//name)
    if (rank /= size(dims)) call stop_with(path//': '//name//' has an unexpected rank')
    call check(nf90_inquire_variable(file, find, dimids=found), path//', '//name)
    do i = 1, rank
      call check(nf90_inq_dimid(file, trim(dims(i)), expected), path//', dimension '//dims(i))
      if (found(i) /= expected) call stop_with(path//': expected dimension '//trim(dims(i))// &
        ' of '//name//' at another place; write the file as (lev, ncol)')
    end do
  end function find

  !> Write the state after the step, in the format of an mlo file (CDF-5, 16 variables).
  subroutine write_mlo(path, input_path, archive, timestep, state)
    character(len=*), intent(in) :: path, input_path, archive
    real(real64), intent(in) :: timestep
    type(columns_t), intent(in) :: state
    integer :: input, file, column, level, i, ymd, tod
    integer :: scalar_id(n_scalar), passive_id(n_passive), t_id, q_id, ymd_id, tod_id
    call check(nf90_open(input_path, nf90_nowrite, input), input_path)
    call check(nf90_create(path, ior(nf90_clobber, nf90_64bit_data), file), path)
    call check(nf90_def_dim(file, 'ncol', state%n_column, column), path)
    call check(nf90_def_dim(file, 'lev', state%n_level, level), path)
    call check(nf90_def_var(file, 'ymd', nf90_int, ymd_id), path)
    call check(nf90_def_var(file, 'tod', nf90_int, tod_id), path)
    call check(nf90_put_att(file, tod_id, 'units', 's'), path)
    do i = 1, n_scalar
      scalar_id(i) = define(file, path, scalar_variable(i), [column], scalar_units(i))
    end do
    q_id = define(file, path, 'state_q0001', [column, level], 'kg kg-1')
    passive_id(1) = define(file, path, passive_variable(1), [column, level], passive_units(1))
    passive_id(2) = define(file, path, passive_variable(2), [column, level], passive_units(2))
    t_id = define(file, path, 'state_t', [column, level], 'K')
    passive_id(3) = define(file, path, passive_variable(3), [column, level], passive_units(3))
    passive_id(4) = define(file, path, passive_variable(4), [column, level], passive_units(4))
    call write_attributes(input, file, path, input_path, archive, timestep)
    call check(nf90_enddef(file), path)

    call check(nf90_get_var(input, find_any(input, input_path, 'ymd'), ymd), input_path//', ymd')
    call check(nf90_get_var(input, find_any(input, input_path, 'tod'), tod), input_path//', tod')
    call check(nf90_put_var(file, ymd_id, ymd), path//', ymd')
    call check(nf90_put_var(file, tod_id, tod), path//', tod')
    do i = 1, n_scalar
      call check(nf90_put_var(file, scalar_id(i), state%scalar(:, i)), path)
    end do
    call check(nf90_put_var(file, t_id, state%t + timestep*state%t_tendency), path//', state_t')
    call check(nf90_put_var(file, q_id, state%q0001 + timestep*state%q0001_tendency), &
      path//', state_q0001')
    do i = 1, n_passive
      call copy_profile(input, input_path, trim(passive_variable(i)), file, path, passive_id(i), &
        state%n_column, state%n_level)
    end do
    call check(nf90_close(file), path)
    call check(nf90_close(input), input_path)
  end subroutine write_mlo

  integer function find_any(file, path, name)
    integer, intent(in) :: file
    character(len=*), intent(in) :: path, name
    call check(nf90_inq_varid(file, name, find_any), path//', variable '//name)
  end function find_any

  integer function define(file, path, name, dimensions, units)
    integer, intent(in) :: file, dimensions(:)
    character(len=*), intent(in) :: path, name, units
    call check(nf90_def_var(file, trim(name), nf90_double, dimensions, define), path//', '//name)
    call check(nf90_put_att(file, define, 'units', trim(units)), path//', '//name)
  end function define

  subroutine write_attributes(input, file, path, input_path, archive, timestep)
    integer, intent(in) :: input, file
    character(len=*), intent(in) :: path, input_path, archive
    real(real64), intent(in) :: timestep
    character(len=8), parameter :: copied(3) = [character(len=8) :: 'ne', 'fv_nphys', 'calendar']
    integer :: i
    do i = 1, size(copied)
      call check(nf90_copy_att(input, nf90_global, trim(copied(i)), file, nf90_global), &
        input_path//', attribute '//copied(i))
    end do
    call check(nf90_put_att(file, nf90_global, 'source', &
      'climsim_host: a closure run inside a Fortran column host'), path)
    call check(nf90_put_att(file, nf90_global, 'closure_archive', base_name(archive)), path)
    call check(nf90_put_att(file, nf90_global, 'input_file', base_name(input_path)), path)
    call check(nf90_put_att(file, nf90_global, 'timestep', timestep), path)
    call check(nf90_put_att(file, nf90_global, 'comment', &
      'state_t and state_q0001 advanced by the closure, cam_out_* written by it; '// &
      'state_q0002, state_q0003, state_u and state_v copied unchanged'), path)
  end subroutine write_attributes

  subroutine copy_profile(input, input_path, name, file, path, variable, n_column, n_level)
    integer, intent(in) :: input, file, variable, n_column, n_level
    character(len=*), intent(in) :: input_path, name, path
    real(real64), allocatable :: values(:, :)
    allocate (values(n_column, n_level))
    call read_profile(input, input_path, name, values)
    call check(nf90_put_var(file, variable, values), path//', '//name)
  end subroutine copy_profile

  pure function base_name(path) result(name)
    character(len=*), intent(in) :: path
    character(len=:), allocatable :: name
    name = trim(path(index(path, '/', back=.true.) + 1:))
  end function base_name

end module climsim_files

program climsim_host
  use, intrinsic :: iso_fortran_env, only: iostat_end, output_unit, real64
  use climsim_columns, only: columns_t
  use climsim_files, only: read_mli, read_sizes, stop_with, write_mlo
  implicit none(type, external)

  integer, parameter :: path_length = 4096
  type(columns_t), target :: columns
  character(len=path_length) :: archive, file_list
  character(len=path_length), allocatable :: inputs(:), outputs(:)
  character(len=1024) :: errmsg
  real(real64) :: timestep
  integer :: stat, i, n_column, n_level

  call read_settings()
  call read_file_list()
  call columns%load(trim(archive), stat, errmsg)
  if (stat /= 0) call stop_with(errmsg)
  do i = 1, size(inputs)
    call read_sizes(trim(inputs(i)), n_column, n_level)
    if (n_column /= columns%n_column .or. n_level /= columns%n_level) then
      call columns%resize(n_column, n_level, stat, errmsg)
      if (stat /= 0) call stop_with(errmsg)
    end if
    call read_mli(trim(inputs(i)), columns)
    call columns%advance(i, stat, errmsg)
    if (stat /= 0) call stop_with(errmsg)
    call write_mlo(trim(outputs(i)), trim(inputs(i)), trim(archive), timestep, columns)
    write (output_unit, '(a, f7.5)') 'progress ', real(i, real64)/size(inputs)
    flush (output_unit)
  end do
  call columns%free()

contains

  subroutine read_settings()
    character(len=path_length) :: path
    integer :: unit
    namelist /settings/ archive, file_list, timestep
    archive = ''
    file_list = ''
    timestep = 1200.0_real64
    if (command_argument_count() /= 1) call stop_with('expected one argument: the settings file')
    call get_command_argument(1, path)
    open (newunit=unit, file=trim(path), status='old', action='read', iostat=stat, iomsg=errmsg)
    if (stat /= 0) call stop_with(errmsg)
    read (unit, nml=settings, iostat=stat, iomsg=errmsg)
    if (stat /= 0) call stop_with(errmsg)
    close (unit)
    if (archive == '' .or. file_list == '') call stop_with( &
      trim(path)//': expected archive and file_list in namelist settings; set both')
    if (.not. timestep > 0.0_real64) call stop_with( &
      trim(path)//': expected timestep > 0 [s]')
  end subroutine read_settings

  subroutine read_file_list()
    character(len=path_length) :: line
    integer :: unit, n_line, i
    open (newunit=unit, file=trim(file_list), status='old', action='read', iostat=stat, &
      iomsg=errmsg)
    if (stat /= 0) call stop_with(errmsg)
    n_line = 0
    do
      read (unit, '(a)', iostat=stat, iomsg=errmsg) line
      if (stat == iostat_end) exit
      if (stat /= 0) call stop_with(errmsg)
      n_line = n_line + 1
    end do
    if (n_line == 0 .or. mod(n_line, 2) /= 0) call stop_with( &
      trim(file_list)//': expected two lines a pair, the mli file and the mlo file')
    allocate (inputs(n_line/2), outputs(n_line/2))
    rewind (unit)
    do i = 1, n_line/2
      read (unit, '(a)') inputs(i)
      read (unit, '(a)') outputs(i)
    end do
    close (unit)
  end subroutine read_file_list

end program climsim_host
