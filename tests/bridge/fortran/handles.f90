!> Handles that are shared, copied and lost, over and over: what is lost is released, once. Prints
!> the memory of the process [MB] after a third of the cycles and after all. Argument: an archive
!> with five levels.
program handles
  use, intrinsic :: iso_fortran_env, only: real64
  use hybrid, only: binding_t, closure_t
  implicit none (type, external)

  !> A host's own type, finalised with what it holds.
  type :: physics_t
    type(closure_t) :: closure
    type(binding_t) :: columns, more
  end type physics_t

  integer, parameter :: n_cycle = 600, n_column = 4000, n_level = 5
  type(closure_t) :: shared
  character(len=1024) :: archive
  integer :: i

  call get_command_argument(1, archive)
  call shared%load(archive)
  do i = 1, n_cycle
    call cycle_once()
    if (i == n_cycle/3 .or. i == n_cycle) write (*, '(f0.1)') resident()
  end do

contains

  subroutine cycle_once()
    type(physics_t) :: physics
    type(physics_t), allocatable :: other
    type(binding_t), allocatable :: several(:)
    type(closure_t) :: again
    type(binding_t) :: last
    real(real64), target :: x(n_column) = 0.0_real64
    real(real64) :: y(n_column)
    physics%closure = shared
    call physics%columns%create(physics%closure, n_column)
    physics%more = physics%columns
    call physics%columns%free()
    ! A second load or create releases the first.
    if (modulo(i, 5) == 0) call physics%closure%load(archive)
    call physics%columns%create(physics%closure, n_column)
    call physics%columns%create(physics%closure, n_column)
    again = physics%closure
    again = again
    allocate (other, several(3))
    other%closure = physics%closure
    other%more = physics%more
    several(1) = other%more
    several(2:) = several(1)
    call again%free()
    call again%free()
    ! A copy goes on when all others are gone.
    last = several(3)
    call physics%more%free()
    call physics%closure%free()
    deallocate (other, several)
    call use_up(last)
    x(1) = x(1) + 1
    if (modulo(i, 100) /= 0) return
    call last%put('state_t', spread(x + 250, 2, n_level), dims='column,level', units='K')
    call last%put('state_ps', x + 9.0e4_real64, dims='column', units='Pa')
    call last%apply(1)
    call last%get('precipitation', y, dims='column', units='m/s')
    if (y(1) <= 0.0_real64) error stop 'the copy computed nothing'
  end subroutine cycle_once

  !> A copy that is gone at the end of the procedure, and a handle that never was.
  subroutine use_up(columns)
    type(binding_t), intent(in) :: columns
    type(binding_t) :: copy, nothing
    type(closure_t) :: none
    copy = columns
    copy = nothing
    copy = columns
    if (len(copy%summary()) == 0) error stop 'the copy is lost'
    if (len(nothing%summary()) /= 0 .or. len(none%manifest()) /= 0) error stop 'nothing is something'
  end subroutine use_up

  real(real64) function resident()
    integer :: unit, pages(2)
    open (newunit=unit, file='/proc/self/statm', status='old', action='read')
    read (unit, *) pages
    close (unit)
    resident = pages(2)*4096.0_real64/1.0e6_real64
  end function resident

end program handles
