! A host of three columns that asks a closure for the tendency of its temperature.
program model
  use, intrinsic :: iso_fortran_env, only: real64
  use hybrid, only: binding_t, closure_t
  implicit none
  type(closure_t) :: closure
  type(binding_t) :: columns
  real(real64) :: t(3), tendency(3)
  character(len=512) :: path

  call get_command_argument(1, path)
  t = [0.0_real64, 10.0_real64, 20.0_real64]
  call closure%load(trim(path))
  call columns%create(closure, n_column=3)
  call columns%put('t', t, dims='column', units='degC')
  call columns%apply(1)
  call columns%get('t_tendency', tendency, dims='column', units='K day-1')
  print '(a, f7.3)', 'sum of the tendencies [K day-1]: ', sum(tendency)
end program model
