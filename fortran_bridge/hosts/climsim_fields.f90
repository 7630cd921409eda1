! The fields that the ClimSim column host gives a closure, and those that it takes from one.

module climsim_fields
  implicit none(type, external)
  private
  public :: find_input, find_output

  integer, parameter, public :: name_length = 64, units_length = 16

  !> A field of a closure and the variable of a file that it stands for.
  type, public :: field_t
    character(len=name_length) :: name = ''      !< of the closure
    character(len=name_length) :: variable = ''  !< of an mli or mlo file; blank: there is none
    character(len=units_length) :: units = ''
    logical :: is_profile = .false.              !< one value a level
  end type field_t

  integer, parameter :: n_input = 29, n_output = 17

  !> Inputs. Those without a variable are derived from others.
  type(field_t), parameter :: inputs(n_input) = [ &
    field_t('state_t', 'state_t', 'K', .true.), &
    field_t('state_q0001', 'state_q0001', 'kg kg-1', .true.), &
    field_t('state_q0002', 'state_q0002', 'kg kg-1', .true.), &
    field_t('state_q0003', 'state_q0003', 'kg kg-1', .true.), &
    field_t('state_u', 'state_u', 'm s-1', .true.), &
    field_t('state_v', 'state_v', 'm s-1', .true.), &
    field_t('state_rh', '', '1', .true.), &
    field_t('state_qn', '', 'kg kg-1', .true.), &
    field_t('liq_partition', '', '1', .true.), &
    field_t('pbuf_ozone', 'pbuf_ozone', 'mol mol-1', .true.), &
    field_t('pbuf_ch4', 'pbuf_CH4', 'mol mol-1', .true.), &
    field_t('pbuf_n2o', 'pbuf_N2O', 'mol mol-1', .true.), &
    field_t('state_ps', 'state_ps', 'Pa', .false.), &
    field_t('pbuf_solin', 'pbuf_SOLIN', 'W m-2', .false.), &
    field_t('pbuf_lhflx', 'pbuf_LHFLX', 'W m-2', .false.), &
    field_t('pbuf_shflx', 'pbuf_SHFLX', 'W m-2', .false.), &
    field_t('pbuf_taux', 'pbuf_TAUX', 'N m-2', .false.), &
    field_t('pbuf_tauy', 'pbuf_TAUY', 'N m-2', .false.), &
    field_t('pbuf_coszrs', 'pbuf_COSZRS', '1', .false.), &
    field_t('cam_in_aldif', 'cam_in_ALDIF', '1', .false.), &
    field_t('cam_in_aldir', 'cam_in_ALDIR', '1', .false.), &
    field_t('cam_in_asdif', 'cam_in_ASDIF', '1', .false.), &
    field_t('cam_in_asdir', 'cam_in_ASDIR', '1', .false.), &
    field_t('cam_in_lwup', 'cam_in_LWUP', 'W m-2', .false.), &
    field_t('cam_in_icefrac', 'cam_in_ICEFRAC', '1', .false.), &
    field_t('cam_in_landfrac', 'cam_in_LANDFRAC', '1', .false.), &
    field_t('cam_in_ocnfrac', 'cam_in_OCNFRAC', '1', .false.), &
    field_t('cam_in_snowhice', 'cam_in_SNOWHICE', 'm', .false.), &
    field_t('cam_in_snowhland', 'cam_in_SNOWHLAND', 'm', .false.)]

  !> Outputs: tendencies and the state that each advances, scalars, and what a closure says of
  !> itself.
  type(field_t), parameter :: outputs(n_output) = [ &
    field_t('ptend_t', 'state_t', 'K s-1', .true.), &
    field_t('ptend_q0001', 'state_q0001', 'kg kg-1 s-1', .true.), &
    field_t('ptend_q0002', 'state_q0002', 'kg kg-1 s-1', .true.), &
    field_t('ptend_q0003', 'state_q0003', 'kg kg-1 s-1', .true.), &
    field_t('ptend_qn', '', 'kg kg-1 s-1', .true.), &
    field_t('ptend_u', 'state_u', 'm s-2', .true.), &
    field_t('ptend_v', 'state_v', 'm s-2', .true.), &
    field_t('cam_out_flwds', 'cam_out_FLWDS', 'W m-2', .false.), &
    field_t('cam_out_netsw', 'cam_out_NETSW', 'W m-2', .false.), &
    field_t('cam_out_precc', 'cam_out_PRECC', 'm s-1', .false.), &
    field_t('cam_out_precsc', 'cam_out_PRECSC', 'm s-1', .false.), &
    field_t('cam_out_soll', 'cam_out_SOLL', 'W m-2', .false.), &
    field_t('cam_out_solld', 'cam_out_SOLLD', 'W m-2', .false.), &
    field_t('cam_out_sols', 'cam_out_SOLS', 'W m-2', .false.), &
    field_t('cam_out_solsd', 'cam_out_SOLSD', 'W m-2', .false.), &
    field_t('confidence', '', '1', .false.), &
    field_t('trigger', '', '1', .false.)]

  character(len=*), parameter :: deviation = '_std'
  character(len=*), parameter :: remedy = &
    '; export the closure for the variables V1, V1_albedo, V2, v2_rh or v2_rh_mc'

contains

  !> What the host knows of an input; `errmsg` is left blank if it knows the field.
  subroutine find_input(name, field, errmsg)
    character(len=*), intent(in) :: name
    type(field_t), intent(out) :: field
    character(len=*), intent(out) :: errmsg
    integer :: i
    errmsg = ''
    do i = 1, n_input
      if (inputs(i)%name == name) then
        field = inputs(i)
        return
      end if
    end do
    if (needs_history(name)) then
      errmsg = trim(name)//': expected a field of one time step, got one of the steps before, '// &
        'which single files do not have'//remedy
    else if (any(name == [character(len=4) :: 'clat', 'slat', 'icol'])) then
      errmsg = trim(name)//': expected a field of an mli file, got one of the grid'//remedy
    else
      errmsg = trim(name)//': expected a field that an mli file gives, got another'//remedy
    end if
  end subroutine find_input

  !> What the host knows of an output; `errmsg` is left blank if it knows the field.
  !>
  !> `name_std`, a standard deviation of `name`, stands for no variable.
  subroutine find_output(name, field, errmsg)
    character(len=*), intent(in) :: name
    type(field_t), intent(out) :: field
    character(len=*), intent(out) :: errmsg
    character(len=name_length) :: quantity
    integer :: i
    errmsg = ''
    quantity = name
    if (ends_with(name, deviation)) quantity = name(:len_trim(name) - len(deviation))
    do i = 1, n_output
      if (outputs(i)%name == quantity) then
        field = outputs(i)
        field%name = name
        if (quantity /= name) field%variable = ''
        return
      end if
    end do
    errmsg = trim(name)//': expected a tendency or a scalar of an mlo file, got another output'// &
      remedy
  end subroutine find_output

  pure logical function needs_history(name)
    character(len=*), intent(in) :: name
    needs_history = index(name, 'tm_') == 1 .or. ends_with(name, '_dyn') .or. &
      ends_with(name, '_prvphy')
  end function needs_history

  pure logical function ends_with(name, ending)
    character(len=*), intent(in) :: name, ending
    integer :: first
    first = len_trim(name) - len(ending) + 1
    ends_with = .false.
    if (first > 1) ends_with = name(first:len_trim(name)) == ending
  end function ends_with

end module climsim_fields
