"""
What tracks of craft show: silences, loitering, meetings, impossible jumps, identities that change, zones entered.

Pure: functions of position reports and of small states that are values. No clock is read, and the same reports give the same
detections with the same ids, in whichever order they come within the declared window.
"""
