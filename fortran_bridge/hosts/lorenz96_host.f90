! The resolved Lorenz-96 equations with a closure from the bridge in place of the fast variables.
!
!   dX_k/dt = -X_{k-1} (X_{k-2} - X_{k+1}) - X_k + F + U_k,   U = closure(X, state, noise)
!
! Wilks (2005), doi:10.1256/qj.04.03; Arnold et al. (2013), doi:10.1098/rsta.2011.0479.
! Classical fourth-order Runge-Kutta; the closure is evaluated at every stage and its state
! advances once a step. All members run together: one closure column is one X_k of one member.
! The host has a scheme of its own for U, a cubic polynomial: it acts where no closure does, which
! with policy 'host' are the columns outside the closure's envelope. A line at the end says how
! many they were.
!
! Usage: hybrid-lorenz96-host SETTINGS, where SETTINGS is a namelist file, see `settings_t`.

program lorenz96_host
  use, intrinsic :: ieee_arithmetic, only: ieee_is_finite
  use, intrinsic :: iso_fortran_env, only: int64, output_unit, real64
  use hybrid, only: binding_t, closure_t, hybrid_untouched
  use lorenz96_model, only: add_resolved_tendency, own_subgrid_tendency
  use lorenz96_output, only: output_t
  use lorenz96_restart, only: read_start, start_t, write_restart
  use lorenz96_settings, only: fail, read_settings, settings_t
  implicit none(type, external)

  real(real64), parameter :: weight(4) = [1.0_real64, 2.0_real64, 2.0_real64, 1.0_real64]/6.0_real64
  real(real64), parameter :: offset(4) = [0.0_real64, 0.5_real64, 0.5_real64, 1.0_real64]

  type(settings_t) :: settings
  type(start_t) :: start
  type(output_t) :: output
  type(closure_t) :: closure
  type(binding_t) :: columns
  character(len=1024) :: errmsg
  real(real64), allocatable :: x(:), tendency(:), increment(:)
  real(real64), allocatable, target :: x_stage(:), subgrid(:)
  integer, allocatable :: reasons(:)
  integer :: step, last_step, stat
  logical :: has_closure

  call read_settings(settings)
  call read_start(trim(settings%initial_file), start)
  x = start%x
  allocate (tendency(size(x)), increment(size(x)), x_stage(size(x)), subgrid(size(x)))
  allocate (reasons(size(x)), source=ibset(0, hybrid_untouched))
  has_closure = settings%archive /= ''
  if (has_closure) call start_closure()
  last_step = start%step + settings%n_step
  call output%create(settings, start%n_k, start%n_member, &
    1 + last_step/settings%save_every - start%step/settings%save_every)
  call output%write_record(start%step*settings%dt, x)
  do step = start%step + 1, last_step
    call advance(step)
    if (modulo(step, settings%save_every) == 0) call save_state(step)
    if (modulo(step - start%step, max(1, settings%n_step/50)) == 0) then
      call report_progress(step - start%step)
    end if
  end do
  call output%close()
  if (settings%restart_file /= '') call save_restart()
  if (has_closure) then
    write (output_unit, '(a)') columns%summary()
    call columns%free()
    call closure%free()
  end if

contains

  !> Load the archive, bind the stage state and the subgrid tendency, set the initial state.
  subroutine start_closure()
    integer(int64), allocatable :: column_id(:)
    integer(int64) :: i
    integer :: field

    call closure%load(trim(settings%archive), engine=trim(settings%engine), stat=stat, &
      errmsg=errmsg)
    call check()
    column_id = [(i, i=1_int64, size(x, kind=int64))]
    call columns%create(closure, size(x), column_id=column_id, seed=settings%seed, &
      reproducible=settings%reproducible, policy=trim(settings%policy), stat=stat, errmsg=errmsg)
    call check()
    call columns%bind('x', x_stage, dims='column', units='1', stat=stat, errmsg=errmsg)
    call check()
    call columns%bind('x_tendency', subgrid, dims='column', units='1', stat=stat, errmsg=errmsg)
    call check()
    if (start%step > 0) call expect_whole_state()
    do field = 1, size(start%state)
      call columns%state_set(trim(start%state(field)%name), start%state(field)%values, &
        stat=stat, errmsg=errmsg)
      call check()
    end do
  end subroutine start_closure

  !> A state that a restart file lacks would begin at zero, and the run would be another one.
  subroutine expect_whole_state()
    integer :: i
    do i = 1, closure%field_count('state')
      if (.not. any(start%state%name == closure%field_name('state', i))) then
        call fail(trim(settings%initial_file)//': expected the state field '// &
          closure%field_name('state', i)//' of the closure in a restart file, got none; '// &
          'restart with the archive that wrote it')
      end if
    end do
  end subroutine expect_whole_state

  !> One Runge-Kutta step; the closure sees the same noise and state at all four stages.
  subroutine advance(step)
    integer, intent(in) :: step
    integer :: stage

    increment = 0.0_real64
    tendency = 0.0_real64
    do stage = 1, size(weight)
      x_stage = x + offset(stage)*settings%dt*tendency
      if (has_closure) then
        call columns%run(step, stat=stat, errmsg=errmsg)
        call check()
        call columns%reasons(reasons, stat=stat, errmsg=errmsg)
        call check()
      end if
      associate (b => settings%coefficients)
        where (btest(reasons, hybrid_untouched))
          subgrid = own_subgrid_tendency(b(1), b(2), b(3), b(4), x_stage)
        end where
      end associate
      tendency = subgrid
      call add_resolved_tendency(start%n_k, start%n_member, settings%forcing, x_stage, &
        tendency)
      increment = increment + weight(stage)*tendency
    end do
    x = x + settings%dt*increment
    if (has_closure) then
      call columns%commit(stat=stat, errmsg=errmsg)
      call check()
    end if
  end subroutine advance

  subroutine save_state(step)
    integer, intent(in) :: step
    character(len=64) :: message

    if (.not. all(ieee_is_finite(x))) then
      write (message, '(a, i0)') 'x is no longer finite at step ', step
      call fail(message)
    end if
    call output%write_record(step*settings%dt, x)
  end subroutine save_state

  subroutine save_restart()
    type(start_t) :: stop_at
    integer :: i

    stop_at = start_t(last_step, start%n_k, start%n_member, x)
    allocate (stop_at%state(merge(closure%field_count('state'), 0, has_closure)))
    do i = 1, size(stop_at%state)
      associate (field => stop_at%state(i))
        field%name = closure%field_name('state', i)
        field%units = closure%field_units(trim(field%name))
        allocate (field%values(closure%field_size(trim(field%name)), size(x)))
        call columns%state_get(trim(field%name), field%values, stat=stat, errmsg=errmsg)
        call check()
      end associate
    end do
    call write_restart(trim(settings%restart_file), settings, stop_at)
  end subroutine save_restart

  subroutine report_progress(n_done)
    integer, intent(in) :: n_done
    write (output_unit, '(a, f6.4)') 'progress ', real(n_done, real64)/settings%n_step
    flush (output_unit)
  end subroutine report_progress

  subroutine check()
    if (stat /= 0) call fail(errmsg)
  end subroutine check

end program lorenz96_host
