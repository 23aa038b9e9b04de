#!/bin/sh
# Makes boxes out of the disk that Packer built: BOX for libvirt and, where qemu-img can, BOX with .virtualbox.box at its end for VirtualBox.
#   DISK the qcow2 disk   BOX the box's path, it ends in .box
set -eu

work=$(mktemp -d "${BOX%/*}/box.XXXXXX")
trap 'rm -rf "$work"' EXIT
bytes=$(qemu-img info "$DISK" | sed -n 's/^virtual size:.*(\([0-9]*\) bytes.*/\1/p')
size=$(((bytes + 1073741823) / 1073741824))

mkdir "$work/libvirt" "$work/virtualbox"
printf '{"provider": "libvirt", "format": "qcow2", "virtual_size": %s}\n' "$size" >"$work/libvirt/metadata.json"
printf 'Vagrant.configure("2") do |config|\nend\n' >"$work/libvirt/Vagrantfile"
qemu-img convert -c -O qcow2 "$DISK" "$work/libvirt/box.img"
tar -czf "$work/box" -C "$work/libvirt" metadata.json Vagrantfile box.img

printf '{"provider": "virtualbox"}\n' >"$work/virtualbox/metadata.json"
cp "$work/libvirt/Vagrantfile" "$work/virtualbox/Vagrantfile"
if qemu-img convert -O vmdk -o subformat=streamOptimized "$DISK" "$work/virtualbox/box-disk001.vmdk"; then
  cat >"$work/virtualbox/box.ovf" <<OVF
<?xml version="1.0"?>
<Envelope ovf:version="1.0" xml:lang="en-US" xmlns="http://schemas.dmtf.org/ovf/envelope/1" xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1" xmlns:rasd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData" xmlns:vssd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_VirtualSystemSettingData" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
  <References><File ovf:id="file1" ovf:href="box-disk001.vmdk"/></References>
  <DiskSection><Info>Disks</Info><Disk ovf:capacity="$bytes" ovf:diskId="disk1" ovf:fileRef="file1" ovf:format="http://www.vmware.com/interfaces/specifications/vmdk.html#streamOptimized"/></DiskSection>
  <NetworkSection><Info>Networks</Info><Network ovf:name="NAT"><Description>NAT</Description></Network></NetworkSection>
  <VirtualSystem ovf:id="otto">
    <Info>A host of otto</Info>
    <OperatingSystemSection ovf:id="96"><Info>Debian</Info><Description>Debian_64</Description></OperatingSystemSection>
    <VirtualHardwareSection>
      <Info>Hardware</Info>
      <System><vssd:ElementName>Virtual Hardware Family</vssd:ElementName><vssd:InstanceID>0</vssd:InstanceID><vssd:VirtualSystemType>virtualbox-2.2</vssd:VirtualSystemType></System>
      <Item><rasd:Caption>1 cpu</rasd:Caption><rasd:ElementName>1 cpu</rasd:ElementName><rasd:InstanceID>1</rasd:InstanceID><rasd:ResourceType>3</rasd:ResourceType><rasd:VirtualQuantity>1</rasd:VirtualQuantity></Item>
      <Item><rasd:AllocationUnits>MegaBytes</rasd:AllocationUnits><rasd:Caption>512 MB</rasd:Caption><rasd:ElementName>512 MB</rasd:ElementName><rasd:InstanceID>2</rasd:InstanceID><rasd:ResourceType>4</rasd:ResourceType><rasd:VirtualQuantity>512</rasd:VirtualQuantity></Item>
      <Item><rasd:Address>0</rasd:Address><rasd:Caption>sata0</rasd:Caption><rasd:ElementName>sata0</rasd:ElementName><rasd:InstanceID>3</rasd:InstanceID><rasd:ResourceSubType>AHCI</rasd:ResourceSubType><rasd:ResourceType>20</rasd:ResourceType></Item>
      <Item><rasd:AddressOnParent>0</rasd:AddressOnParent><rasd:Caption>disk1</rasd:Caption><rasd:ElementName>disk1</rasd:ElementName><rasd:HostResource>/disk/disk1</rasd:HostResource><rasd:InstanceID>4</rasd:InstanceID><rasd:Parent>3</rasd:Parent><rasd:ResourceType>17</rasd:ResourceType></Item>
      <Item><rasd:AutomaticAllocation>true</rasd:AutomaticAllocation><rasd:Caption>NAT</rasd:Caption><rasd:Connection>NAT</rasd:Connection><rasd:ElementName>NAT</rasd:ElementName><rasd:InstanceID>5</rasd:InstanceID><rasd:ResourceSubType>E1000</rasd:ResourceSubType><rasd:ResourceType>10</rasd:ResourceType></Item>
    </VirtualHardwareSection>
  </VirtualSystem>
</Envelope>
OVF
  tar -czf "$work/vbox" -C "$work/virtualbox" metadata.json Vagrantfile box.ovf box-disk001.vmdk
  mv "$work/vbox" "${BOX%.box}.virtualbox.box"
else
  echo "box: no box for VirtualBox: qemu-img cannot write it" >&2
fi
mv "$work/box" "$BOX" # last: with it the image is there
