! Forced two-dimensional flow on a doubly periodic (beta) plane, with a closure from the bridge.
!
!   dw/dt + u . grad w + beta v = nu lap w - mu w - (-1)^p nu_p lap^p w + F + closure(w, u, v)
!   w = lap psi, u = -dpsi/dy, v = dpsi/dx, F = A (cos k_f x + cos k_f y)
!
! Pseudo-spectral, dealiased by Orszag's two-thirds rule; third-order Adams-Bashforth, begun with
! Euler and second order, and Crank-Nicolson for viscosity and drag: the same equations and steps as
! `solvers.Barotropic` in Python. Transforms are products of small matrices, see `barotropic_waves`:
! it is a host for coarse grids, those that need a closure. The closure is one of grids; it is
! evaluated once a step, for all members together. Each run begins anew, without a history.
!
! Boffetta and Ecke (2012), doi:10.1146/annurev-fluid-120710-101240; Orszag (1971), J. Atmos. Sci.
! 28, 1074.
!
! Usage: hybrid-barotropic-host SETTINGS, where SETTINGS is a namelist file, see `settings_t`. A
! line at the end says what the guard counted.

program barotropic_host
  use, intrinsic :: ieee_arithmetic, only: ieee_is_finite
  use, intrinsic :: iso_fortran_env, only: output_unit, real64
  use barotropic_files, only: output_t, read_vorticity
  use barotropic_integration, only: integration_t
  use barotropic_settings, only: fail, read_settings, settings_t
  implicit none(type, external)

  type(settings_t) :: settings
  type(output_t) :: output
  type(integration_t), target :: model
  real(real64), allocatable :: vorticity(:, :, :)
  character(len=1024) :: errmsg
  integer :: step, stat

  call read_settings(settings)
  call read_vorticity(trim(settings%initial_file), vorticity)
  call model%create(vorticity, settings%physics, stat, errmsg)
  call check()
  if (settings%archive /= '') then
    call model%couple(trim(settings%archive), trim(settings%engine), trim(settings%policy), &
      settings%seed, settings%reproducible, stat, errmsg)
    call check()
  end if
  call output%create(settings, model%waves, model%n_member, &
    1 + settings%n_step/settings%save_every)
  call save_state()
  do step = 1, settings%n_step
    call model%advance(stat, errmsg)
    call check()
    if (modulo(step, settings%save_every) == 0) call save_state()
    if (modulo(step, max(1, settings%n_step/50)) == 0) call report_progress(step)
  end do
  call output%close()
  if (settings%archive /= '') write (output_unit, '(a)') trim(model%summary())
  call model%free()

contains

  subroutine save_state()
    character(len=64) :: message

    call model%get_vorticity(vorticity)
    if (.not. all(ieee_is_finite(vorticity))) then
      write (message, '(a, i0)') 'vorticity is no longer finite at step ', model%step
      call fail(message)
    end if
    call output%write_record(model%step*settings%physics%dt, vorticity)
  end subroutine save_state

  subroutine report_progress(n_done)
    integer, intent(in) :: n_done
    write (output_unit, '(a, f6.4)') 'progress ', real(n_done, real64)/settings%n_step
    flush (output_unit)
  end subroutine report_progress

  subroutine check()
    if (stat /= 0) call fail(errmsg)
  end subroutine check

end program barotropic_host
