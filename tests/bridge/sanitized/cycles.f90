!> Loads, uses and frees a closure of the stub engine many times, and makes a host's mistakes.
!> Arguments: number of cycles, the archive "profiles" of stub_archives.py, and a damaged one.
program cycles
  use, intrinsic :: ieee_arithmetic, only: ieee_quiet_nan, ieee_value
  use, intrinsic :: iso_c_binding, only: c_size_t
  use, intrinsic :: iso_fortran_env, only: error_unit, int8, real32, real64
  use hybrid, only: binding_t, closure_t, hybrid_error_archive, hybrid_error_field, &
    hybrid_error_file, hybrid_error_order, hybrid_error_shape, hybrid_error_units, &
    hybrid_error_value, read_bytes
  implicit none (type, external)

  interface
    !> Of the sanitizer: bytes that the program holds.
    integer(c_size_t) function allocated_bytes() bind(c, name='__sanitizer_get_current_allocated_bytes')
      import :: c_size_t
    end function allocated_bytes
  end interface

  integer, parameter :: n_column = 4, n_level = 3, warm_up = 20
  character(len=1024) :: archive, damaged, text
  integer(c_size_t) :: after_warm_up, at_end
  integer :: count, step

  call get_command_argument(1, text)
  call get_command_argument(2, archive)
  call get_command_argument(3, damaged)
  read (text, *) count
  after_warm_up = 0
  do step = 1, count
    call one_cycle(step)
    if (mod(step, 100) == 1) call mistakes()
    if (step == warm_up) after_warm_up = allocated_bytes()
  end do
  at_end = allocated_bytes()
  print '(i0, a, i0, a, i0, a)', count, ' cycles, ', after_warm_up, &
    ' bytes allocated after the first, ', at_end, ' at the end'
  if (at_end > after_warm_up + 4096) error stop 'memory grew'

contains

  !> Load from a file or from memory, bind, run, commit; put, apply, get; free.
  subroutine one_cycle(step)
    integer, intent(in) :: step
    type(closure_t) :: closure, shared
    type(binding_t) :: columns, moving
    real(real64), target :: t(n_level, n_column), dt(n_level, n_column)
    real(real32), target :: p(n_column), sure(n_column)
    integer(int8), allocatable :: bytes(:)

    if (mod(step, 2) == 0) then
      call closure%load(archive)
    else
      call read_bytes(archive, bytes)
      call closure%load_bytes(bytes, label='broadcast')
    end if
    shared = closure
    t = 200.0_real64
    p = 200.0_real32
    call columns%create(shared, n_column, policy='flag')
    call moving%create(closure, n_column)
    ! Freed or left to the finalizer in turn: both release.
    if (mod(step, 3) == 0) call closure%free()
    call columns%bind('t', t, dims='level,column', units='K')
    call columns%bind('p', p, dims='column', units='K')
    call columns%bind('dt', dt, dims='level,column', units='K s-1')
    call columns%bind('sure', sure, dims='column', units='K')
    call columns%run(step)
    call columns%commit()
    call check(dt, sure)
    if (mod(step, 3) == 1) call columns%free()

    dt = 0.0_real64
    call moving%put('t', t(n_level:1:-1, :), dims='level,column', units='K')
    call moving%put('p', p, dims='column', units='K')
    call moving%apply(step)
    call moving%get('dt', dt, dims='level,column', units='K s-1', accumulate=.true.)
    call moving%get('sure', sure, dims='column', units='K')
    call check(dt, sure)
  end subroutine one_cycle

  !> The stub's arithmetic: mean of the arguments + number of the result + element / 1024.
  subroutine check(dt, sure)
    real(real64), intent(in) :: dt(:, :)
    real(real32), intent(in) :: sure(:)
    integer :: level

    do level = 1, n_level
      if (any(abs(dt(level, :) - 200.0_real64 - (level - 1) / 1024.0_real64) > 1e-4_real64)) &
        error stop 'wrong result dt'
    end do
    if (any(abs(sure - 201.0_real32) > 1e-4_real32)) error stop 'wrong result sure'
  end subroutine check

  !> Each ends with a status and a message, and leaves the handles usable.
  subroutine mistakes()
    type(closure_t) :: closure, other
    type(binding_t) :: columns, not_created
    real(real64), target :: t(n_level, n_column), wide(n_level, n_column + 1)
    real(real32) :: p(n_column)
    integer :: stat
    character(len=200) :: errmsg

    call other%load('no/such/file.pt', stat=stat, errmsg=errmsg)
    call expect(stat, hybrid_error_file, errmsg, 'No such file')
    call other%load(damaged, stat=stat, errmsg=errmsg)
    call expect(stat, hybrid_error_archive, errmsg, 'damaged')
    call other%load_bytes([integer(int8) :: 80, 75], label='two bytes', stat=stat, errmsg=errmsg)
    call expect(stat, hybrid_error_archive, errmsg, 'two bytes')
    call closure%load(archive)
    call columns%create(closure, n_column, policy='error')
    t = 200.0_real64
    wide = 200.0_real64
    p = 200.0_real32
    call columns%put('t', wide, dims='level,column', units='K', stat=stat, errmsg=errmsg)
    call expect(stat, hybrid_error_shape, errmsg, 'along')
    call columns%put('t', p, dims='column', units='K', stat=stat, errmsg=errmsg)
    call expect(stat, hybrid_error_shape, errmsg, 'rank')
    call columns%put('t', t, dims='level,column', units='m', stat=stat, errmsg=errmsg)
    call expect(stat, hybrid_error_units, errmsg, 'convert')
    call columns%put('u', t, dims='level,column', units='K', stat=stat, errmsg=errmsg)
    call expect(stat, hybrid_error_field, errmsg, 'no such input')
    call columns%run(1, stat, errmsg)
    call expect(stat, hybrid_error_order, errmsg, 'bound before run')
    t(2, 3) = ieee_value(1.0_real64, ieee_quiet_nan)
    call columns%put('t', t, dims='level,column', units='K', stat=stat, errmsg=errmsg)
    call expect(stat, hybrid_error_value, errmsg, 'got NaN in column 3')
    call not_created%commit(stat, errmsg)
    if (stat == 0) error stop 'commit without create'
  end subroutine mistakes

  subroutine expect(stat, wanted, errmsg, part)
    integer, intent(in) :: stat, wanted
    character(len=*), intent(in) :: errmsg, part

    if (stat == wanted .and. index(errmsg, part) > 0) return
    write (error_unit, '(3a, i0, 2a)') 'expected ', part, ', got ', stat, ' ', trim(errmsg)
    error stop 1
  end subroutine expect

end program cycles
