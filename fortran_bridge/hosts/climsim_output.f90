! Writing what a closure gives as an mlo file (CDF-5): the state after the step, and scalars.
!
! States advance by the closure's tendencies, joint cloud water, where it changes, divided by the
! temperature after the step; others are copied. An ensemble's mean stands for its members, which
! follow under their fields' names with `_members` behind, and so do standard deviations and what
! else a closure says. The file has its name when it is whole.

module climsim_output
  use, intrinsic :: iso_c_binding, only: c_char, c_int, c_null_char
  use, intrinsic :: iso_fortran_env, only: real64
  use climsim_columns, only: columns_t
  use climsim_fields, only: field_t, find_output, name_length
  use climsim_files, only: mli_t
  use climsim_humidity, only: liquid_partition
  use climsim_settings, only: settings_t, stop_with
  use netcdf, only: nf90_64bit_data, nf90_clobber, nf90_close, nf90_copy_att, nf90_create, &
    nf90_def_dim, nf90_def_var, nf90_double, nf90_enddef, nf90_enotatt, nf90_global, nf90_int, &
    nf90_noerr, nf90_put_att, nf90_put_var, nf90_strerror
  implicit none(type, external)
  private
  public :: write_mlo

  integer, parameter :: n_state = 6, temperature = 4
  character(len=*), parameter :: states(n_state) = [character(len=11) :: &
    'state_q0001', 'state_q0002', 'state_q0003', 'state_t', 'state_u', 'state_v']
  character(len=*), parameter :: tendencies(n_state) = [character(len=11) :: &
    'ptend_q0001', 'ptend_q0002', 'ptend_q0003', 'ptend_t', 'ptend_u', 'ptend_v']
  character(len=*), parameter :: state_units(n_state) = [character(len=7) :: &
    'kg kg-1', 'kg kg-1', 'kg kg-1', 'K', 'm s-1', 'm s-1']
  integer, parameter :: cloud(2) = [2, 3]

  !> The file that is being written; `dims` are column, level and realization.
  type :: mlo_t
    character(len=:), allocatable :: path, unfinished
    integer :: id = -1, dims(3) = -1, n_level = 0
  contains
    procedure :: check
    procedure :: define
    procedure :: write_attributes
  end type mlo_t

  interface
    integer(c_int) function c_rename(old, new) bind(c, name='rename')
      import :: c_char, c_int
      implicit none(type, external)
      character(kind=c_char), intent(in) :: old(*), new(*)
    end function c_rename
  end interface

contains

  !> Write `output`, the closure's outputs of all columns (column, feature), as file `path`.
  !>
  !> `columns` says where in `output` which field stands, `input` is the open mli file.
  subroutine write_mlo(path, input, settings, columns, output)
    character(len=*), intent(in) :: path
    type(mli_t), intent(in) :: input
    type(settings_t), intent(in) :: settings
    type(columns_t), intent(in) :: columns
    real(real64), intent(in), contiguous :: output(:, :)
    type(mlo_t) :: file
    integer, allocatable :: scalar_id(:), extra_id(:)
    integer :: time_id(2), state_id(n_state), i
    file%path = path
    file%unfinished = path//'.part'
    file%n_level = input%n_level
    call file%check(nf90_create(file%unfinished, ior(nf90_clobber, nf90_64bit_data), file%id))
    call define_dimensions(file, input, columns)
    call file%check(nf90_def_var(file%id, 'ymd', nf90_int, time_id(1)))
    call file%check(nf90_def_var(file%id, 'tod', nf90_int, time_id(2)))
    call file%check(nf90_put_att(file%id, time_id(2), 'units', 's'))
    allocate (scalar_id(columns%field_count('outputs')), source=0)
    allocate (extra_id, source=scalar_id)
    call define_outputs(file, columns, scalar_id, extra_id)
    do i = 1, n_state
      call file%define(trim(states(i)), file%dims(:2), trim(state_units(i)), state_id(i))
    end do
    call file%write_attributes(input, settings)
    call file%check(nf90_enddef(file%id))
    call file%check(nf90_put_var(file%id, time_id(1), input%read_integer('ymd')))
    call file%check(nf90_put_var(file%id, time_id(2), input%read_integer('tod')))
    call write_outputs(file, columns, output, scalar_id, extra_id)
    call write_states(file, input, columns, output, settings%timestep, state_id)
    call file%check(nf90_close(file%id))
    if (c_rename(file%unfinished//c_null_char, path//c_null_char) /= 0) then
      call stop_with(path//': expected a place where a file can be renamed to this, got none')
    end if
  end subroutine write_mlo

  !> End the program with netCDF's message, and without the unfinished file.
  subroutine check(self, status)
    class(mlo_t), intent(in) :: self
    integer, intent(in) :: status
    integer :: unit, stat
    if (status == nf90_noerr) return
    open (newunit=unit, file=self%unfinished, status='old', iostat=stat)
    if (stat == 0) close (unit, status='delete')
    call stop_with(self%path//': '//trim(nf90_strerror(status)))
  end subroutine check

  subroutine define_dimensions(file, input, columns)
    class(mlo_t), intent(inout) :: file
    type(mli_t), intent(in) :: input
    type(columns_t), intent(in) :: columns
    character(len=name_length) :: name
    integer :: i, n_member
    call file%check(nf90_def_dim(file%id, 'ncol', input%n_column, file%dims(1)))
    call file%check(nf90_def_dim(file%id, 'lev', input%n_level, file%dims(2)))
    do i = 1, columns%field_count('outputs')
      name = columns%field_name('outputs', i)
      n_member = members_of(columns, name)
      if (n_member > 1) then
        call file%check(nf90_def_dim(file%id, 'realization', n_member, file%dims(3)))
        exit
      end if
    end do
  end subroutine define_dimensions

  !> Ids of the scalars of an mlo file and of what else the closure gives; others stay zero.
  subroutine define_outputs(file, columns, scalar_id, extra_id)
    class(mlo_t), intent(in) :: file
    type(columns_t), intent(in) :: columns
    integer, intent(inout) :: scalar_id(:), extra_id(:)
    character(len=name_length) :: name
    character(len=1024) :: errmsg
    type(field_t) :: field
    integer :: i
    do i = 1, size(scalar_id)
      name = columns%field_name('outputs', i)
      call find_output(name, field, errmsg)
      if (field%variable /= '' .and. .not. field%is_profile) then
        call file%define(trim(field%variable), file%dims(:1), trim(field%units), scalar_id(i))
      end if
      if (members_of(columns, name) > 1) then
        call file%define(trim(name)//'_members', pack(file%dims, [.true., field%is_profile, &
          .true.]), trim(field%units), extra_id(i))
      else if (field%variable == '' .and. name /= 'ptend_qn') then
        call file%define(trim(name), pack(file%dims, [.true., field%is_profile, .false.]), &
          trim(field%units), extra_id(i))
      end if
    end do
  end subroutine define_outputs

  subroutine define(self, name, dims, units, variable)
    class(mlo_t), intent(in) :: self
    character(len=*), intent(in) :: name, units
    integer, intent(in) :: dims(:)
    integer, intent(out) :: variable
    call self%check(nf90_def_var(self%id, name, nf90_double, dims, variable))
    call self%check(nf90_put_att(self%id, variable, 'units', units))
  end subroutine define

  subroutine write_outputs(file, columns, output, scalar_id, extra_id)
    class(mlo_t), intent(in) :: file
    type(columns_t), intent(in) :: columns
    real(real64), intent(in), contiguous :: output(:, :)
    integer, intent(in) :: scalar_id(:), extra_id(:)
    character(len=name_length) :: name
    integer :: i, first, last
    do i = 1, size(scalar_id)
      name = columns%field_name('outputs', i)
      call columns%place('outputs', name, first, last)
      if (scalar_id(i) > 0) call file%check(nf90_put_var(file%id, scalar_id(i), &
        sum(output(:, first:last), dim=2)/(last - first + 1)))
      if (extra_id(i) > 0) call write_extra(file, columns, output, i, extra_id(i))
    end do
  end subroutine write_outputs

  subroutine write_extra(file, columns, output, number, id)
    class(mlo_t), intent(in) :: file
    type(columns_t), intent(in) :: columns
    real(real64), intent(in), contiguous :: output(:, :)
    integer, intent(in) :: number, id
    character(len=name_length) :: name
    character(len=1024) :: errmsg
    type(field_t) :: field
    integer :: first, last, n_member
    name = columns%field_name('outputs', number)
    call find_output(name, field, errmsg)
    call columns%place('outputs', name, first, last)
    n_member = members_of(columns, name)
    if (field%is_profile) then
      call file%check(nf90_put_var(file%id, id, reshape(output(:, first:last), &
        [size(output, 1), file%n_level, n_member])))
    else
      call file%check(nf90_put_var(file%id, id, output(:, first:last)))
    end if
  end subroutine write_extra

  subroutine write_states(file, input, columns, output, timestep, state_id)
    class(mlo_t), intent(in) :: file
    type(mli_t), intent(in) :: input
    type(columns_t), intent(in) :: columns
    real(real64), intent(in), contiguous :: output(:, :)
    real(real64), intent(in) :: timestep
    integer, intent(in) :: state_id(n_state)
    real(real64), allocatable :: state(:, :, :), before(:, :), after(:, :), fraction(:, :)
    integer :: i
    allocate (state(input%n_column, input%n_level, n_state))
    do i = 1, n_state
      call input%read_profile(trim(states(i)), state(:, :, i))
      call advance(state(:, :, i), tendencies(i), columns, output, timestep)
    end do
    if (gives(columns, 'ptend_qn')) then
      before = state(:, :, cloud(1)) + state(:, :, cloud(2))
      after = before
      call advance(after, 'ptend_qn', columns, output, timestep)
      fraction = liquid_partition(state(:, :, temperature))
      where (after /= before)
        state(:, :, cloud(1)) = fraction*after
        state(:, :, cloud(2)) = after - state(:, :, cloud(1))
      end where
    end if
    do i = 1, n_state
      call file%check(nf90_put_var(file%id, state_id(i), state(:, :, i)))
    end do
  end subroutine write_states

  !> Advance a state by the mean over the members of its tendency, if the closure gives one.
  subroutine advance(state, tendency, columns, output, timestep)
    real(real64), intent(inout) :: state(:, :)
    character(len=*), intent(in) :: tendency
    type(columns_t), intent(in) :: columns
    real(real64), intent(in) :: output(:, :), timestep
    integer :: first, last, n_member, n_level, start
    if (.not. gives(columns, tendency)) return
    n_level = size(state, 2)
    n_member = members_of(columns, tendency)
    call columns%place('outputs', tendency, first, last)
    do start = first, last, n_level
      state = state + timestep/n_member*output(:, start:start + n_level - 1)
    end do
  end subroutine advance

  logical function gives(columns, name)
    type(columns_t), intent(in) :: columns
    character(len=*), intent(in) :: name
    integer :: first, last
    call columns%place('outputs', name, first, last)
    gives = first > 0
  end function gives

  !> Members of an output; 1 if it has none.
  integer function members_of(columns, name)
    type(columns_t), intent(in) :: columns
    character(len=*), intent(in) :: name
    character(len=1024) :: errmsg
    type(field_t) :: field
    integer :: first, last
    call find_output(name, field, errmsg)
    call columns%place('outputs', name, first, last)
    members_of = (last - first + 1)/merge(columns%n_level, 1, field%is_profile)
  end function members_of

  subroutine write_attributes(self, input, settings)
    class(mlo_t), intent(in) :: self
    type(mli_t), intent(in) :: input
    type(settings_t), intent(in) :: settings
    character(len=8), parameter :: copied(3) = [character(len=8) :: 'ne', 'fv_nphys', 'calendar']
    integer :: i, stat
    do i = 1, size(copied)
      stat = nf90_copy_att(input%id, nf90_global, trim(copied(i)), self%id, nf90_global)
      if (stat /= nf90_enotatt) call self%check(stat)
    end do
    call put('source', 'climsim_host: a closure run inside a Fortran column host')
    call put('closure_archive', base_name(settings%archive))
    call put('input_file', base_name(input%path))
    call put('comment', 'cam_out_* written by the closure; state_* advanced by its tendencies '// &
      'over the timestep, or copied unchanged where it has none')
    call self%check(nf90_put_att(self%id, nf90_global, 'timestep', settings%timestep))
  contains
    subroutine put(name, text)
      character(len=*), intent(in) :: name, text
      call self%check(nf90_put_att(self%id, nf90_global, name, text))
    end subroutine put
  end subroutine write_attributes

  pure function base_name(path) result(name)
    character(len=*), intent(in) :: path
    character(len=:), allocatable :: name
    name = trim(path(index(path, '/', back=.true.) + 1:))
  end function base_name

end module climsim_output
