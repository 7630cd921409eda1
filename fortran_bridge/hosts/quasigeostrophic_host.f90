! Two-layer quasi-geostrophic flow on a doubly periodic beta plane, with a closure from the bridge.
!
!   dq_z/dt + J(psi_z, q_z) + U_z dq_z/dx + dQ_z/dy dpsi_z/dx = -delta_z2 r lap psi_2 + closure
!   q_1 = lap psi_1 + F1 (psi_2 - psi_1), q_2 = lap psi_2 + F2 (psi_1 - psi_2)
!   F1 = r_d**(-2) / (1 + delta), F2 = delta F1
!   dQ_1/dy = beta + F1 (U_1 - U_2), dQ_2/dy = beta - F2 (U_1 - U_2)
!
! Pseudo-spectral in flux form, with transforms by FFTW; third-order Adams-Bashforth, begun with
! Euler and second order, and then an exponential filter of the shortest waves: the same equations
! and steps as `solvers.TwoLayerQG` in Python, and as pyqg. The closure is one of grids, of q, u and
! v without the mean flow; it is evaluated once a step, for all members together. Each run begins
! anew, without a history.
!
! Abernathey et al., pyqg, doi:10.5281/zenodo.6563667.
!
! Usage: hybrid-quasigeostrophic-host SETTINGS, where SETTINGS is a namelist file, see `settings_t`.
! A line at the end says what the guard counted.

program quasigeostrophic_host
  use, intrinsic :: ieee_arithmetic, only: ieee_is_finite
  use, intrinsic :: iso_fortran_env, only: output_unit, real64
  use quasigeostrophic_files, only: output_t, read_q
  use quasigeostrophic_integration, only: integration_t
  use quasigeostrophic_settings, only: fail, read_settings, settings_t
  implicit none(type, external)

  type(settings_t) :: settings
  type(output_t) :: output
  type(integration_t), target :: model
  real(real64), allocatable :: q(:, :, :, :)
  character(len=1024) :: errmsg
  integer :: step, stat

  call read_settings(settings)
  call read_q(trim(settings%initial_file), q)
  call model%create(q, settings%physics, stat, errmsg)
  call check()
  if (settings%archive /= '') then
    call model%couple(trim(settings%archive), trim(settings%engine), trim(settings%policy), &
      settings%seed, settings%reproducible, stat, errmsg)
    call check()
  end if
  call output%create(settings, q, 1 + settings%n_step/settings%save_every)
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

    call model%get_q(q)
    if (.not. all(ieee_is_finite(q))) then
      write (message, '(a, i0)') 'q is no longer finite at step ', model%step
      call fail(message)
    end if
    call output%write_record(model%step*settings%physics%dt, q)
  end subroutine save_state

  subroutine report_progress(n_done)
    integer, intent(in) :: n_done
    write (output_unit, '(a, f6.4)') 'progress ', real(n_done, real64)/settings%n_step
    flush (output_unit)
  end subroutine report_progress

  subroutine check()
    if (stat /= 0) call fail(errmsg)
  end subroutine check

end program quasigeostrophic_host
