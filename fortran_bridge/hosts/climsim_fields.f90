! The fields of the ClimSim column host.

module climsim_fields
  implicit none(type, external)
  private

  integer, parameter, public :: n_flux = 3, n_scalar = 8
  integer, parameter, public :: name_length = 16

  !> Scalar inputs: name of the closure's field; all [W m-2].
  character(len=name_length), parameter, public :: flux_field(n_flux) = &
    [character(len=name_length) :: 'pbuf_solin', 'pbuf_lhflx', 'pbuf_shflx']

  !> Scalar outputs, in the order of an mlo file.
  character(len=name_length), parameter, public :: scalar_field(n_scalar) = &
    [character(len=name_length) :: 'cam_out_flwds', 'cam_out_netsw', 'cam_out_precc', &
    'cam_out_precsc', 'cam_out_soll', 'cam_out_solld', 'cam_out_sols', 'cam_out_solsd']
  character(len=5), parameter, public :: scalar_units(n_scalar) = &
    [character(len=5) :: 'W m-2', 'W m-2', 'm s-1', 'm s-1', 'W m-2', 'W m-2', 'W m-2', 'W m-2']

end module climsim_fields
