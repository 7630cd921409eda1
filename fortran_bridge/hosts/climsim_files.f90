! Reading ClimSim's files: sizes, times and variables, of all columns or of a share of them.
!
! A file's `(lev, ncol)` in netCDF order is `(ncol, lev)` here; index 1 of `lev` is the model top.
! Errors end the program with a message that names the file.

module climsim_files
  use, intrinsic :: iso_fortran_env, only: int64, real64
  use climsim_settings, only: path_length, stop_with
  use netcdf, only: nf90_byte, nf90_char, nf90_close, nf90_double, nf90_get_var, nf90_inq_dimid, &
    nf90_inq_varid, nf90_inquire, nf90_inquire_dimension, nf90_inquire_variable, nf90_int64, &
    nf90_max_var_dims, nf90_noerr, nf90_nowrite, nf90_open, nf90_short, nf90_strerror, &
    nf90_uint64
  implicit none(type, external)
  private
  public :: check, mli_t

  !> An open file and the columns of it that are read.
  type :: mli_t
    character(len=path_length) :: path = ''
    integer :: n_column = 0, n_level = 0   !< sizes of the file
    integer :: first_column = 1            !< first column that is read
    integer :: id = -1
  contains
    procedure :: open => open_mli
    procedure :: read_profile
    procedure :: read_scalar
    procedure :: seconds
    procedure :: read_integer
    procedure :: close => close_mli
    procedure, private :: find
  end type mli_t

contains

  !> End the program with netCDF's message about `what`, if there is one.
  subroutine check(status, what)
    integer, intent(in) :: status
    character(len=*), intent(in) :: what
    if (status /= nf90_noerr) call stop_with(trim(what)//': '//trim(nf90_strerror(status)))
  end subroutine check

  subroutine open_mli(self, path)
    class(mli_t), intent(inout) :: self
    character(len=*), intent(in) :: path
    self%path = path
    self%first_column = 1
    call check(nf90_open(path, nf90_nowrite, self%id), path)
    call expect_whole(self%id, path)
    self%n_column = size_of(self%id, 'ncol', path)
    self%n_level = size_of(self%id, 'lev', path)
  end subroutine open_mli

  subroutine close_mli(self)
    class(mli_t), intent(inout) :: self
    call check(nf90_close(self%id), self%path)
  end subroutine close_mli

  !> Read (column, level), as many columns as there is room for.
  subroutine read_profile(self, name, values)
    class(mli_t), intent(in) :: self
    character(len=*), intent(in) :: name
    real(real64), intent(inout), contiguous :: values(:, :)
    integer :: variable
    variable = self%find(name, ['ncol', 'lev '])
    if (size(values) > 0) call check(nf90_get_var(self%id, variable, values, &
      start=[self%first_column, 1], count=shape(values)), trim(self%path)//', '//name)
  end subroutine read_profile

  !> Read (column), as many columns as there is room for.
  subroutine read_scalar(self, name, values)
    class(mli_t), intent(in) :: self
    character(len=*), intent(in) :: name
    real(real64), intent(inout), contiguous :: values(:)
    integer :: variable
    variable = self%find(name, ['ncol'])
    if (size(values) > 0) call check(nf90_get_var(self%id, variable, values, &
      start=[self%first_column], count=shape(values)), trim(self%path)//', '//name)
  end subroutine read_scalar

  !> Read one integer of the file.
  integer function read_integer(self, name)
    class(mli_t), intent(in) :: self
    character(len=*), intent(in) :: name
    integer :: variable
    call check(nf90_inq_varid(self%id, name, variable), trim(self%path)//', variable '//name)
    call check(nf90_get_var(self%id, variable, read_integer), trim(self%path)//', '//name)
  end function read_integer

  !> Time of the file since year 0 [s], in a calendar without leap days.
  integer(int64) function seconds(self)
    class(mli_t), intent(in) :: self
    integer, parameter :: days_before(12) = &
      [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334]
    integer :: ymd, month
    ymd = self%read_integer('ymd')
    month = mod(ymd/100, 100)
    if (month < 1 .or. month > 12) call stop_with(trim(self%path)// &
      ': expected a date as year, month and day in one number ymd, got another month')
    seconds = 86400_int64*(365*(ymd/10000) + days_before(month) + mod(ymd, 100) - 1) + &
      self%read_integer('tod')
  end function seconds

  integer function size_of(file, name, path)
    integer, intent(in) :: file
    character(len=*), intent(in) :: name, path
    integer :: dimension
    call check(nf90_inq_dimid(file, name, dimension), trim(path)//', dimension '//name)
    call check(nf90_inquire_dimension(file, dimension, len=size_of), trim(path)//', '//name)
  end function size_of

  !> Variable id, after a check of its dimensions: netCDF would fill a transposed array as readily.
  integer function find(self, name, dims)
    class(mli_t), intent(in) :: self
    character(len=*), intent(in) :: name, dims(:)
    integer :: i, rank, expected, found(nf90_max_var_dims)
    character(len=:), allocatable :: what
    what = trim(self%path)//', '//name
    call check(nf90_inq_varid(self%id, name, find), trim(self%path)//', variable '//name)
    call check(nf90_inquire_variable(self%id, find, ndims=rank, dimids=found), what)
    if (rank /= size(dims)) call stop_with(trim(self%path)//': '//name//' has an unexpected rank')
    do i = 1, rank
      call check(nf90_inq_dimid(self%id, trim(dims(i)), expected), what//', '//dims(i))
      if (found(i) /= expected) call stop_with(trim(self%path)//': expected dimension '// &
        trim(dims(i))//' of '//name//' at another place; write the file as (lev, ncol)')
    end do
  end function find

  !> A file that was cut off reads as zeros: its variables must fit into it.
  subroutine expect_whole(file, path)
    integer, intent(in) :: file
    character(len=*), intent(in) :: path
    integer :: n_variable, i, j, type, rank, dims(nf90_max_var_dims), extent
    integer(int64) :: needed, elements, found
    character(len=64) :: sizes
    call check(nf90_inquire(file, nvariables=n_variable), path)
    needed = 0
    do i = 1, n_variable
      call check(nf90_inquire_variable(file, i, xtype=type, ndims=rank, dimids=dims), path)
      elements = 1
      do j = 1, rank
        call check(nf90_inquire_dimension(file, dims(j), len=extent), path)
        elements = elements*extent
      end do
      needed = needed + elements*bytes_of(type)
    end do
    inquire (file=path, size=found)
    write (sizes, '(i0, a, i0)') needed, ' bytes, got ', found
    if (found < needed) call stop_with(trim(path)//': expected at least '//trim(sizes)// &
      ': the file is cut off; download it again')
  end subroutine expect_whole

  pure integer function bytes_of(type)
    integer, intent(in) :: type
    select case (type)
    case (nf90_byte, nf90_char)
      bytes_of = 1
    case (nf90_short)
      bytes_of = 2
    case (nf90_double, nf90_int64, nf90_uint64)
      bytes_of = 8
    case default
      bytes_of = 4
    end select
  end function bytes_of

end module climsim_files
