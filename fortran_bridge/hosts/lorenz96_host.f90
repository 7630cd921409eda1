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
  use, intrinsic :: iso_fortran_env, only: output_unit, real64
  use lorenz96_integration, only: integration_t
  use lorenz96_output, only: output_t
  use lorenz96_restart, only: read_start, start_t, write_restart
  use lorenz96_settings, only: fail, read_settings, settings_t
  implicit none(type, external)

  type(settings_t) :: settings
  type(start_t) :: start
  type(output_t) :: output
  type(integration_t), target :: model
  character(len=1024) :: errmsg
  integer :: step, last_step, stat
  logical :: has_closure

  call read_settings(settings)
  call read_start(trim(settings%initial_file), settings, start)
  call model%create(start%n_k, start%n_member, start%x, start%step, settings%forcing, settings%dt, &
    settings%coefficients, stat, errmsg)
  call check()
  has_closure = settings%archive /= ''
  if (has_closure) call start_closure()
  last_step = start%step + settings%n_step
  call output%create(settings, start%n_k, start%n_member, &
    1 + last_step/settings%save_every - start%step/settings%save_every)
  call output%write_record(start%step*settings%dt, model%x)
  do step = start%step + 1, last_step
    call model%advance(stat, errmsg)
    call check()
    if (modulo(step, settings%save_every) == 0) call save_state()
    if (modulo(step - start%step, max(1, settings%n_step/50)) == 0) then
      call report_progress(step - start%step)
    end if
  end do
  call output%close()
  if (settings%restart_file /= '') call save_restart()
  if (has_closure) write (output_unit, '(a)') trim(model%summary())
  call model%free()

contains

  !> Couple the closure of the archive and set its initial state.
  subroutine start_closure()
    integer :: field

    call model%couple(trim(settings%archive), trim(settings%engine), trim(settings%policy), &
      settings%seed, settings%reproducible, stat, errmsg)
    call check()
    if (start%step > 0) call expect_whole_state()
    do field = 1, size(start%state)
      call model%state_set(trim(start%state(field)%name), start%state(field)%values, stat, errmsg)
      call check()
    end do
  end subroutine start_closure

  !> A state that a restart file lacks would begin at zero, and the run would be another one.
  subroutine expect_whole_state()
    integer :: i
    do i = 1, model%state_count()
      if (.not. any(start%state%name == model%state_name(i))) then
        call fail(trim(settings%initial_file)//': expected the state field '// &
          trim(model%state_name(i))//' of the closure in a restart file, got none; '// &
          'restart with the archive that wrote it')
      end if
    end do
  end subroutine expect_whole_state

  subroutine save_state()
    character(len=64) :: message

    if (.not. all(ieee_is_finite(model%x))) then
      write (message, '(a, i0)') 'x is no longer finite at step ', model%step
      call fail(message)
    end if
    call output%write_record(model%step*settings%dt, model%x)
  end subroutine save_state

  subroutine save_restart()
    type(start_t) :: stop_at
    integer :: i

    stop_at = start_t(model%step, model%n_k, model%n_member, model%x)
    allocate (stop_at%state(model%state_count()))
    do i = 1, size(stop_at%state)
      associate (field => stop_at%state(i))
        field%name = model%state_name(i)
        field%units = model%state_units(trim(field%name))
        allocate (field%values(model%state_size(trim(field%name)), size(model%x)))
        call model%state_get(trim(field%name), field%values, stat, errmsg)
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
